"""Make the stored example of a schema's revision, before it is released.

    python tests/stores/make.py

Writes `tests/stores/REVISION.duckdb`, where REVISION is the newest of `migrations/`, with
the code and the DuckDB that are installed. Use the oldest DuckDB that is supported, so
that each version reads the file. `tests/store/schema/test_stored_examples.py`
upgrades a copy of each;
a file that is in the repository is never made anew, since the code that wrote it is gone.

It holds three runs, finished and folded, with nothing of the machine that made them.
"""

import math
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import duckdb

import stepwell
from stepwell import migrations
from stepwell.store import init, open_store, start_run
from stepwell.viz import create_loss_visualizer

EVERGREEN = "01a20d46-7a6d-7dd3-bca3-4bd72a447f4b"
FOLDER = Path(__file__).parent


def describe_process() -> dict[str, Any]:
    """What a run says of the process that started it: nothing of this one."""
    return {
        "host": "example",
        "pid": 1,
        "user_name": "example",
        "command": "python make.py",
        "working_dir": "/",
        "python_version": "3.11.0",
    }


def record(store: Path) -> None:
    """Record the three runs."""
    config = {"optimizer": {"name": "adam", "lr": 0.01}, "seed": 0, "note": "ä ö ü"}
    with init(
        project="examples",
        name="complete",
        group="first",
        tags=["example", "old"],
        notes="A run with a layout, a NaN and a configuration.",
        config=config,
        store=store,
    ):
        visualizer = create_loss_visualizer(update_interval=50)
        for step in range(100):
            metrics = {"train_loss": 1 / (step + 1), "learning_rate": 0.01}
            visualizer.update_metrics(metrics, step)
        visualizer.update_metrics({"train_loss": math.nan, "val_loss": math.inf}, 100)
        visualizer.close()

    for first in (0, 10):  # the second attempt begins anew at step 10
        attempt = start_run(
            project="examples",
            name="resumed",
            id=EVERGREEN,
            resume="allow",
            store=store,
        )
        for step in range(first, first + 20):
            attempt.log({"loss": float(step + 1000 * (first > 0))}, step)
        attempt.finish()

    failed = start_run(project="other", name="failed", store=store)
    failed.log({"loss": 1.0})
    failed.finish("failed", "ValueError: as intended")


def main() -> None:
    """Make the file, unless it is there."""
    target = FOLDER / f"{migrations.HEAD}.duckdb"
    if target.exists():
        sys.exit(f"{target} is there; the example of a revision is made once")
    with TemporaryDirectory() as folder:
        made = Path(folder) / target.name
        with patch("stepwell.store.recording.start.describe_process", describe_process):
            record(made)
        open_store(made).runs()  # folds the last
        left = [path.name for path in made.with_name(f"{made.name}.journal").iterdir()]
        assert set(left) <= {".gate", ".lock", ".directory"}, left
        target.write_bytes(made.read_bytes())
    size = target.stat().st_size
    print(f"{target}: {size:,} bytes, DuckDB {duckdb.__version__}, {stepwell.__version__}")


if __name__ == "__main__":
    main()
