"""Every code block of the README and of the documentation runs."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import Store, open_store
from stepwell.viz import read_spec
from stepwell.viz.figures.run_figure import config_for_run
from stepwell.viz.run_page.page import prepare

ROOT = Path(__file__).parents[2]
FIRST = ("docs/sweeps.md", "docs/tutorial.md")  # they take longest
FOUND = [
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "_build" not in path.parts
]
PAGES = sorted(FOUND, key=lambda page: page not in FIRST)
PROGRAM = Path(__file__).parents[1] / "run_page.py"

# How many blocks of a page are not run, each of which says why in its fence.
NOT_RUN = {
    "README.md": 2,
    "docs/benchmarks.md": 1,
    "docs/how-to/cluster.md": 3,
    "docs/how-to/migrating.md": 3,
    "docs/how-to/ssh.md": 3,
    "docs/tutorial.md": 1,
}


def fences(page: str) -> list[str]:
    """What stands behind the opening fences of a page, indented ones included."""
    lines = re.findall(r"^\s*```(.*)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    return lines[::2]


@pytest.fixture(scope="module")
def run_page(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], tuple[int, str, Path]]]:
    """Runs a page, once; gives its exit code, what it printed, and where it ran."""
    hidden = ("STEPWELL_STORE", "DISPLAY", "WAYLAND_DISPLAY", "RANK")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    with subprocess.Popen(
        [sys.executable, "-W", "error", str(PROGRAM)],
        env=kept | {"MPLBACKEND": "Agg"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as server:
        asked, answered = server.stdin, server.stdout
        assert asked
        assert answered

        @cache
        def run(page: str) -> tuple[int, str, Path]:
            folder = tmp_path_factory.mktemp("page")
            printed = folder.with_name(f"{folder.name}-printed")
            print(
                json.dumps([str(ROOT / page), str(folder), str(printed)]),
                file=asked,
                flush=True,
            )
            if not select.select([answered], [], [], 250)[0]:
                os.killpg(server.pid, signal.SIGKILL)
            return int(answered.readline() or -1), printed.read_text(), folder

        yield run
        asked.close()


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_runs(
    page: str, run_page: Callable[[str], tuple[int, str, Path]]
) -> None:
    opened = fences(page)
    if not opened:
        return
    code, printed, _ = run_page(page)
    assert code == 0, printed

    fates = json.loads(printed.splitlines()[-1])
    assert [language for _, language, _ in fates] == [text.split()[0] for text in opened]
    skipped = [line for line, _, fate in fates if fate == "not run"]
    assert len(skipped) == NOT_RUN.get(page, 0)


def test_the_quick_start_of_the_readme_shows_what_it_recorded(
    run_page: Callable[[str], tuple[int, str, Path]],
) -> None:
    """One run, seen from Python, from the command line and by what reads it later."""
    code, printed, folder = run_page("README.md")
    assert code == 0, printed

    blocks = printed.split("-- README.md:")[1:]
    train, _, commands, read = (block.partition("\n")[2] for block in blocks[-4:])
    assert train.splitlines()[-1] == "0.005"
    said = dict(part.split("\n", 1) for part in commands.split("$ stepwell ")[1:])
    assert "first" in said["ls"]
    assert "demo" in said["ls"]
    assert "finished" in said["watch last"]
    assert "0.01" in said["compare first plain"]
    assert "0.005" in said.popitem()[1]
    assert read.splitlines()[0] == "0.005 []"
    for name in ("first.png", "plain.png", "both.png"):
        assert (folder / name).stat().st_size > 0


PROCESSES = {
    "threads": {f"worker_{number}/loss": 50 for number in range(4)},
    "spawned": {"part_0/accuracy": 20, "part_1/accuracy": 20},
    "seed 1": {"loss": 1},
    "seed 2": {"loss": 1},
    "night": {
        "rank_0/samples_per_sec": 20,
        "rank_1/samples_per_sec": 20,
        "train_loss": 20,
    },
    "training": {"train_loss": 1, "val_loss": 1},
}


@pytest.fixture
def processes(
    run_page: Callable[[str], tuple[int, str, Path]], monkeypatch: pytest.MonkeyPatch
) -> Store:
    """The store that the examples of the page on processes have filled."""
    code, printed, folder = run_page("docs/how-to/processes.md")
    assert code == 0, printed
    monkeypatch.delenv("STEPWELL_STORE", raising=False)
    monkeypatch.chdir(folder)
    return open_store(create=False)


def asked(*words: str) -> Any:
    """What a command answers in JSON."""
    result = CliRunner().invoke(main, [*words, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


@pytest.mark.parametrize("name", PROCESSES)
def test_whatever_several_processes_recorded_is_shown_and_drawn(
    name: str, processes: Store, tmp_path: Path
) -> None:
    points = PROCESSES[name]
    summary = asked("show", name)["summary"]
    assert {metric: one["count"] for metric, one in summary.items()} == points
    shown = CliRunner().invoke(main, ["show", name]).output.splitlines()
    assert {line.split()[0] for line in shown if line.strip()} >= points.keys()

    run = processes.run(name)
    page = prepare(processes, run, config_for_run(processes, run, None))
    curves = [curve for panel in page.panels for curve in panel.curves]
    drawn = {one.metric: int(np.isfinite(one.values).sum()) for one in curves}
    assert drawn == points
    assert not page.recorded
    assert not any(panel.waiting for panel in page.panels)
    picture = asked("plot", name, "-o", str(tmp_path / "run.svg"))["picture"]
    assert read_spec(picture).runs.runs == (run.run_id,)


def test_each_metric_of_several_processes_has_its_best_run(processes: Store) -> None:
    for metric in {metric for points in PROCESSES.values() for metric in points}:
        goal = "min" if metric.endswith("loss") else "max"
        found = asked("best", metric, "--goal", goal)
        names = [name for name, points in PROCESSES.items() if metric in points]
        assert sorted(row["run"] for row in found["runs"]) == sorted(names)
        assert found["runs_without"] == len(PROCESSES) - len(names)
    board = {row["run"]: row for row in asked("best", "train_loss")["runs"]}
    assert (board["night"]["value"], board["night"]["step"]) == (0.05, 19)
    assert (board["training"]["value"], board["training"]["step"]) == (0.5, 100)


def test_every_block_that_is_not_run_says_why() -> None:
    marked = [text for page in PAGES for text in fences(page) if "not-run" in text]

    assert len(marked) == sum(NOT_RUN.values())
    assert all(re.search(r'not-run="[^"]{5,}"', text) for text in marked)


def test_what_pages_need_beforehand_belongs_to_a_page() -> None:
    programs = {path.stem for path in (Path(__file__).parents[1] / "pages").glob("*.py")}

    assert programs <= {Path(page).stem.replace("-", "_") for page in PAGES}
