"""The view in a notebook, by executing one and reading what it shows."""

import base64
import io
from collections.abc import Callable
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


# Somebody else has the store while all updates are made, and some time longer.
BUSY_LOOP = """
import os, subprocess, sys, threading
from m.training_viz import MetricConfig, RealTimeTrainingVisualizer
from m.training_viz import TrainingVisualizerConfig
held = '''
import sys
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
with lease_of(resolve(sys.argv[1])).locked():
    print("held", flush=True)
    sys.stdin.readline()
'''
config = TrainingVisualizerConfig(
    1, 1, (5, 4), update_interval=1, drawing_share=1.0, metrics=[MetricConfig("loss", 0)]
)
visualizer = RealTimeTrainingVisualizer(config)
command = [sys.executable, "-c", held, os.environ["STEPWELL_STORE"]]
pipe = subprocess.PIPE
with subprocess.Popen(command, stdin=pipe, stdout=pipe) as other:
    other.stdout.readline()
    for step in range(3):
        visualizer.update_metrics({"loss": 1 / (step + 1)})
    threading.Timer(1.0, other.stdin.close).start()
    visualizer.close()
    print("was held:", other.wait() == 0)
"""


@pytest.fixture
def execute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Executes a notebook of one cell, and gives the cell."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("STEPWELL_STORE", str(tmp_path / "s.duckdb"))
    monkeypatch.delenv("DISPLAY", raising=False)

    def run(code: str) -> Any:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
        client = nbclient.NotebookClient(
            notebook, timeout=100, resources={"metadata": {"path": str(tmp_path)}}
        )
        client.execute()
        return notebook.cells[0]

    return run


@pytest.mark.filterwarnings("ignore")  # those of the notebook's own libraries
def test_there_is_one_picture_in_the_end_and_all_that_the_user_printed(
    execute: Callable[[str], Any],
) -> None:
    cell = execute(LOOP)
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


@pytest.mark.filterwarnings("ignore")
def test_the_last_picture_waits_for_a_store_that_is_in_use(
    execute: Callable[[str], Any],
) -> None:
    cell = execute(BUSY_LOOP)

    kinds = [o.output_type for o in cell.outputs]
    texts = "".join(o.text for o in cell.outputs if o.output_type == "stream")
    assert "was held: True" in texts
    assert "Warning" not in texts
    assert kinds.count("display_data") == 1
