"""The figure of a run whose process was killed is the one that it would have had."""

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import Store

TRAINING = """
    import math, sys
    from m.training_viz import create_custom_visualizer

    visualizer = create_custom_visualizer(
        metrics_config={"train_loss": (0, "blue"), "val_loss": (0, "red"), "lr": 1},
        plot_titles=["Loss curves", "Rate of learning"],
        subplot_layout=(2, 1),
        yscales=["log", "linear"],
        title="Doomed",
        window="none",
    )
    for step in range(300):
        metrics = {"train_loss": math.exp(-step / 90) + math.sin(step) ** 2 / 20}
        metrics["lr"] = 0.1 * (1 - step / 300)
        metrics["val_loss"] = math.nan if step == 250 else math.exp(-step / 95)
        visualizer.update_metrics(metrics)
        if step == 0:
            visualizer.update_metrics({"not shown": 1.0}, 0)
    visualizer.save_plot(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
"""


def panels_and_lines(path: Path) -> list[str]:
    """The titles of the panels, and the outline of each line and mark within them."""
    content = path.read_text(encoding="utf-8")
    titles = re.findall(r"<!-- (Loss curves|Rate of learning) -->", content)
    return titles + re.findall(r'<path d="[^"]*" clip-path[^>]*>', content)


def test_its_own_panels_and_lines_are_redrawn(
    python: Callable[..., subprocess.Popen[str]], store_path: Path, tmp_path: Path
) -> None:
    before, after, again = (tmp_path / f"{name}.svg" for name in ("before", "after", "b"))
    training = python(TRAINING, before, env={"STEPWELL_STORE": str(store_path)})
    assert training.stdout
    assert training.stdout.readline() == "ready\n"
    training.send_signal(signal.SIGKILL)
    training.wait(60)

    store = ["--store", str(store_path)]
    for path in (after, again):
        result = CliRunner().invoke(main, [*store, "plot", "last", "-o", str(path)])
        assert result.exit_code == 0, result.output

    assert Store(store_path).run("last").status == "crashed"
    found = panels_and_lines(after)
    assert found[:2] == ["Loss curves", "Rate of learning"]
    assert len(found) > 5
    assert found == panels_and_lines(before)
    assert "CRASHED" in after.read_text(encoding="utf-8")
    assert after.read_bytes() == again.read_bytes()
