"""How a notebook's cells end runs: a real kernel, its errors, and its restart."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stepwell.store import Store

Execute = Callable[[str], Any]

CELLS = """
import stepwell
run = stepwell.init(name="failed"); run.log({"loss": 1.0}); 1 / 0
---
run.finish()
---
run = stepwell.init(name="went on"); run.log({"loss": 1.0}); 1 / 0
---
for step in range(3): run.log({"loss": 0.5})
---
run.finish()
---
run = stepwell.init(name="mistyped elsewhere"); run.log({"loss": 1.0})
---
run.sumary()
---
run.finish()
---
run = stepwell.init(name="finally")
try: raise ValueError("no gradient")
finally: run.finish()
---
run = stepwell.init(name="said otherwise"); run.log({"loss": 1.0}); 1 / 0
---
run.finish("finished")
---
run = stepwell.init(name="syntax"); run.log({"loss": 1.0})
---
run.log({"loss": 1.0}
---
run.finish()
---
run = stepwell.init(name="left failed"); run.log({"loss": 1.0}); 1 / 0
---
left = stepwell.init(name="left well"); left.log({"loss": 1.0})
---
from m.training_viz import create_loss_visualizer
import time
visualizer = create_loss_visualizer(update_interval=1000)
print(visualizer.run.name)
while True:
    visualizer.update_metrics({"train_loss": 1.0}); time.sleep(0.01)
"""


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """A kernel in a process of its own, and a client of it."""
    manager = pytest.importorskip("jupyter_client.manager")
    monkeypatch.setenv("STEPWELL_STORE", str(tmp_path / "s.duckdb"))
    monkeypatch.delenv("DISPLAY", raising=False)
    made, client = manager.start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    made.shutdown_wait_time = 120.0  # a kernel that is slow to end would be killed
    yield made, client
    client.stop_channels()
    made.shutdown_kernel(now=True)


@pytest.mark.filterwarnings("ignore")  # those of the notebook's own libraries
def test_cells_that_raise_and_a_restart_in_the_middle(
    kernel: tuple[Any, Any], tmp_path: Path
) -> None:
    manager, client = kernel
    *cells, endless = CELLS.split("---\n")
    for cell in cells:
        # Else a kernel passes over what comes at once after a cell that raised.
        client.execute(cell, reply=True, timeout=60, stop_on_error=False)
    client.execute(endless)
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "stream":
            name = message["content"]["text"].strip()
            break

    manager.restart_kernel()

    by_zero = ("failed", "ZeroDivisionError: division by zero")
    runs = Store(tmp_path / "s.duckdb").runs()
    assert {run.name: (run.status, run.exit_message) for run in runs} == {
        "failed": by_zero,
        "went on": ("finished", None),
        "mistyped elsewhere": ("finished", None),
        "finally": ("failed", "ValueError: no gradient"),
        "said otherwise": ("finished", None),
        "syntax": ("finished", None),
        "left failed": by_zero,
        "left well": ("interrupted", "KeyboardInterrupt"),
        name: ("interrupted", "KeyboardInterrupt"),
    }
