"""A figure is drawn again: from its name, its spec, or its picture."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepwell.store import (
    ConfigurationError,
    FigureNotFoundError,
    FigureSpec,
    MetricNotFoundError,
    Run,
    RunNotFoundError,
    Selection,
    Store,
    open_store,
    start_run,
)
from stepwell.viz import create_custom_visualizer, read_spec, redraw, save_run_figure
from stepwell.viz.drawing.picture_metadata import embedded

SUFFIXES = [".png", ".svg", ".pdf"]


def recorded(store: Path, name: str, metric: str = "loss") -> Run:
    run = start_run(name=name, project="p", store=store)
    for step in range(20):
        run.log({metric: 1 / (step + 1), "lr": 0.1})
    return run


@pytest.fixture
def run(store_path: Path) -> Iterator[Run]:
    run = recorded(store_path, "first")
    yield run
    run.finish()


@pytest.fixture
def store(run: Run) -> Store:
    return run.store()


def titles(path: Path, *asked: str) -> list[str]:
    content = path.read_text(encoding="utf-8")
    return [title for title in asked if f"<!-- {title} -->" in content]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_redrawn_from_an_unchanged_store_is_the_same(
    run: Run, store: Store, tmp_path: Path, suffix: str
) -> None:
    run.finish()
    first = save_run_figure(store, "first", tmp_path / f"a{suffix}", theme="dark")
    second = redraw(store, first, tmp_path / f"b{suffix}")
    third = redraw(store, str(second), tmp_path / f"c{suffix}")

    assert first.read_bytes() == second.read_bytes() == third.read_bytes()


def test_a_picture_is_redrawn_in_another_format(
    run: Run, store: Store, tmp_path: Path
) -> None:
    run.finish()
    spec = read_spec(save_run_figure(store, "first", tmp_path / "a.png"))
    direct = save_run_figure(store, "first", tmp_path / "b.svg")
    converted = redraw(store, tmp_path / "a.png", tmp_path / "c.svg")

    assert converted.read_bytes() == direct.read_bytes()
    assert read_spec(converted) == spec


def test_a_picture_follows_its_run(run: Run, store: Store, tmp_path: Path) -> None:
    picture = save_run_figure(store, "first", tmp_path / "a.svg")
    before = picture.read_text(encoding="utf-8")
    run.log({"loss": 9.0}, step=500)
    redraw(store, picture, picture)

    assert "step 20 " in before
    assert "step 501 " in picture.read_text(encoding="utf-8")


def test_the_picture_of_a_visualizer_keeps_its_panels(
    store_path: Path, tmp_path: Path
) -> None:
    run = recorded(store_path, "joined")
    for title in ("Earlier", "Later"):
        visualizer = create_custom_visualizer(
            {"loss": 0}, [title], (1, 1), run=run, window="none"
        )
        visualizer.save_plot(tmp_path / f"{title}.svg")
    run.finish()

    earlier = redraw(run.store(), tmp_path / "Earlier.svg", tmp_path / "a.svg")
    own = save_run_figure(run.store(), run.id, tmp_path / "b.svg")
    assert titles(earlier, "Earlier", "Later") == ["Earlier"]
    assert titles(own, "Earlier", "Later") == ["Later"]


def test_a_picture_is_redrawn_on_another_store_that_has_the_run(
    run: Run, store: Store, store_path: Path, tmp_path: Path
) -> None:
    run.finish()
    picture = save_run_figure(store, "first", tmp_path / "a.png")
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(store_path.read_bytes())

    again = redraw(open_store(copy), picture, tmp_path / "b.png")
    assert again.read_bytes() == picture.read_bytes()


def test_on_a_store_without_the_run_it_is_missed_by_name(
    run: Run, store: Store, new_path: Path, tmp_path: Path
) -> None:
    picture = save_run_figure(store, "first", tmp_path / "a.png")
    before = picture.read_bytes()

    with pytest.raises(RunNotFoundError, match=run.id):
        redraw(open_store(new_path), picture, picture)
    assert picture.read_bytes() == before


def test_a_kept_figure_shows_the_newest_run_and_follows(
    run: Run, store: Store, store_path: Path, tmp_path: Path
) -> None:
    spec = FigureSpec("run", Selection(project="p"))
    store.save_figure("newest", spec)
    store.save_figure("of that day", spec, pin=True)
    recorded(store_path, "second", "other loss").finish()

    newest = redraw(store, "newest", tmp_path / "a.svg")
    pinned = redraw(store, store.figure("of that day"), tmp_path / "b.svg")
    assert titles(newest, "first", "second") == ["second"]
    assert titles(pinned, "first", "second") == ["first"]
    assert read_spec(newest) == spec


def test_options_and_style_of_a_run_are_heeded(store: Store, tmp_path: Path) -> None:
    spec = FigureSpec("run", options={"metrics": ["lr"]}, style={"theme": "dark"})
    path = redraw(store, spec, tmp_path / "a.svg")

    assert titles(path, "lr", "Loss") == ["lr"]
    assert "#11161d" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (FigureSpec("pie"), "'pie'"),
        (FigureSpec("run", options={"metirc": "a"}), "no option 'metirc'; it has layout"),
        (FigureSpec("run", options={"metrics": [1]}), "metrics must be"),
        (FigureSpec("run", options={"layout": 3}), "layout"),
        (FigureSpec("run", options={"layout": {}, "metrics": []}), "not both"),
        (FigureSpec("run", style={"size": 3}), "size must be a width and a height"),
        (FigureSpec("run", style={"grid": 3}), "no style 'grid'; it has theme, size,"),
        (FigureSpec("run", style={"theme": "sepia"}), "'sepia'"),
        (FigureSpec("run", Selection(project="nobody")), "no run fits"),
    ],
)
def test_a_figure_that_cannot_be_drawn_says_why(
    store: Store, tmp_path: Path, spec: FigureSpec, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        redraw(store, spec, tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_what_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    with pytest.raises(FigureNotFoundError, match="'nothing'"):
        redraw(store, "nothing", target)
    with pytest.raises(FileNotFoundError):
        redraw(store, "nothing.png", target)
    with pytest.raises(MetricNotFoundError, match=r"'losss'.*'loss'"):
        redraw(store, FigureSpec("run", options={"metrics": ["losss"]}), target)


def test_a_picture_with_a_spec_of_no_use_is_named(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(spec: Any, suffix: str) -> dict[str, str]:
        return embedded({"kind": "run", "novel": 1}, suffix)

    monkeypatch.setattr("stepwell.viz.drawing.picture_file.embedded", other)
    picture = save_run_figure(store, "first", tmp_path / "a.png")

    with pytest.raises(ConfigurationError, match=r"'a\.png': a figure has no novel"):
        redraw(store, picture, tmp_path / "b.png")


def test_a_picture_says_nothing_of_where_its_store_was(
    run: Run, store: Store, tmp_path: Path
) -> None:
    for suffix in SUFFIXES:
        path = save_run_figure(store, "first", tmp_path / f"a{suffix}")
        assert os.fsencode(tmp_path) not in path.read_bytes()
