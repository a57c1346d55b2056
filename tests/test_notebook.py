"""The view in a notebook, by executing one and reading what it shows."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

LOOP = """
import time
from m.training_viz import MetricConfig, RealTimeTrainingVisualizer
from m.training_viz import TrainingVisualizerConfig
config = TrainingVisualizerConfig(
    1, 1, (5, 4), update_interval=1, drawing_share=1.0, metrics=[MetricConfig("loss", 0)]
)
visualizer = RealTimeTrainingVisualizer(config)
for step in range(10):
    visualizer.update_metrics({"loss": 1 / (step + 1)})
    print("step", step)
    time.sleep(0.1)
visualizer.close()
"""


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The cell of a notebook that was executed."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("STEPWELL_STORE", str(tmp_path / "s.duckdb"))
    monkeypatch.delenv("DISPLAY", raising=False)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LOOP)])
    client = nbclient.NotebookClient(
        notebook, timeout=100, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    return notebook.cells[0]


@pytest.mark.filterwarnings("ignore")  # those of the notebook's own libraries
def test_there_is_one_picture_in_the_end_and_all_that_the_user_printed(cell: Any) -> None:
    pictures = [o for o in cell.outputs if o.output_type == "display_data"]
    printed = "".join(
        o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stdout"
    )
    errors = [o for o in cell.outputs if o.get("name") == "stderr"]
    (picture,) = pictures
    assert [f"step {step}" in printed for step in range(10)] == [True] * 10
    assert errors == []
    pixels = imread(io.BytesIO(base64.b64decode(picture.data["image/png"])))
    assert pixels.shape[:2] == (400, 500)
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 20
