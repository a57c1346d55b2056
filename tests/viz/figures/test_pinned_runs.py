"""A figure that is pinned to runs of which some are gone shows the others, and says so."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stepwell.cli import main
from stepwell.store import FigureSpec, LookupFailedError, Selection, Store
from stepwell.viz import PlotWarning, read_spec, redraw

Make = Callable[..., Store]
BOARD = FigureSpec("leaderboard", options={"metric": "loss"})


@pytest.fixture
def store(tmp_path: Path, make_sweep: Make) -> Store:
    """Four runs, of which r1 and r3 are gone from two figures that are pinned to all."""
    configs = [{"lr": rate} for rate in (0.1, 0.2, 0.3, 0.4)]
    store = make_sweep(tmp_path / "s.duckdb", configs, [4, 3, 2, 1])
    store.save_figure("board", BOARD, pin=True)
    store.save_figure("panels", FigureSpec("run"), pin=True)
    store.remove_runs(["r1", "r3"])
    return store


def command(store: Store, *arguments: object) -> Result:
    place = ["--store", str(store.location)]
    return CliRunner().invoke(main, [*place, *map(str, arguments)])


def test_the_others_are_drawn_with_one_warning(store: Store, tmp_path: Path) -> None:
    with pytest.warns(PlotWarning) as said:
        path = redraw(store, "board", tmp_path / "a.svg")

    names = [f"r{number}" for number in range(4)]
    content = path.read_text(encoding="utf-8")
    assert [name for name in names if f"<!-- {name} -->" in content] == ["r0", "r2"]
    assert len(said) == 1
    spec = store.figure("board").spec
    assert spec.pinned is not None
    assert read_spec(path) == spec  # a store that has all four draws all four
    text = str(said[0].message)
    assert text.startswith("drawn without 2 of the 4 runs that the figure is pinned to")
    there = {run.run_id for run in store.runs()}
    assert all((run_id[-8:] in text) != (run_id in there) for run_id in spec.pinned)


def test_the_newest_of_the_others_has_its_panels_drawn(
    store: Store, tmp_path: Path
) -> None:
    with pytest.warns(PlotWarning, match="without 2 of the 4"):
        path = redraw(store, "panels", tmp_path / "a.svg")

    assert "<!-- r2" in path.read_text(encoding="utf-8")


def test_the_command_says_it_in_one_line(store: Store, tmp_path: Path) -> None:
    result = command(store, "replot", "board", "-o", tmp_path / "a.png")

    assert result.exit_code == 0, result.output
    assert result.stdout == f"{(tmp_path / 'a.png').resolve()}\n"
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("Warning: drawn without 2 of the 4 runs")


def test_the_command_shows_how_many_are_gone(store: Store) -> None:
    values = json.loads(command(store, "figure", "show", "board", "--json").stdout)

    assert values["run_ids_now"] == [run.run_id for run in store.runs()]
    assert len(values["run_ids_gone"]) == 2
    assert "gone   2 runs\n" in command(store, "figure", "show", "board").stdout


@pytest.mark.parametrize("name", ["board", "panels"])
def test_with_none_left_it_is_an_error(store: Store, tmp_path: Path, name: str) -> None:
    store.remove_runs(Selection())

    with pytest.raises(LookupFailedError, match="none of the 4 runs that the figure is"):
        redraw(store, name, tmp_path / "a.png")
    result = command(store, "replot", name, "-o", tmp_path / "a.png")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert not (tmp_path / "a.png").exists()


def test_nothing_is_said_where_all_are_there(store: Store, tmp_path: Path) -> None:
    store.save_figure("board", BOARD, pin=True)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        redraw(store, "board", tmp_path / "a.png")
    assert store.figure_runs(store.figure("board").spec).gone == ()
