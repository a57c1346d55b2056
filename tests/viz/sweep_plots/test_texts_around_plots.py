"""What stands around a plot of many runs has room: its heading, and labels of lines."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

import stepwell
from stepwell import viz
from stepwell.store import FigureSpec, Store
from stepwell.viz.base.theme import THEMES
from stepwell.viz.drawing.contrast import TEXT_CONTRAST, contrast
from stepwell.viz.drawing.plot_axes import new_axes
from stepwell.viz.drawing.text import clean, text_width
from stepwell.viz.figures.plot_kinds import draw_figure
from stepwell.viz.sweep_plots.importances import draw_param_importances

LONG = "with-a-name-that-says-everything-about-it_lr_0.001_warmup_1000_restart_"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path: Path = tmp_path_factory.mktemp("texts") / "s.duckdb"
    for number in range(6):
        config = {"learning_rate": 0.1 ** (1 + number % 2), "seed": number // 2}
        name = f"{LONG}{number}"
        with stepwell.init(project="p", name=name, config=config, store=path) as run:
            for step in range(20):
                run.log({"val_loss": 2.0 / (step + 1) + number / 50}, step=step)
    return stepwell.open_store(path)


@pytest.mark.parametrize("letter", ["\N{ROCKET}", "\U000e0001", "\x07"])
def test_a_letter_that_no_font_has_is_as_wide_as_what_is_drawn(letter: str) -> None:
    assert clean(letter) == "\ufffd"
    assert text_width(f"a{letter}b", 9.0) == text_width("a\ufffdb", 9.0)


def grid() -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(8.0, 4.0))
    return figure, list(figure.subplots(2, 3).flat)


def labels(axes: Axes) -> list[str]:
    return [part.get_text() for part in axes.texts if isinstance(part, Annotation)]


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    return [text.get_text() for text in found.get_texts()] if found else []


def outside(figure: Figure, axes: Axes) -> list[str]:
    """The texts of *axes* that are cut at the edge of their figure."""
    figure.draw_without_rendering()
    edge = figure.bbox.padded(1.0)
    return [
        part.get_text()
        for part in axes.findobj(Text)
        if part.get_text().strip() and not edge.containsx(part.get_window_extent().x1)
    ]


def test_a_heading_says_line_band_and_smoothing_of_groups(store: Store) -> None:
    axes = viz.plot_curves(
        store, "val_loss", group_by="learning_rate", smooth="ema:0.6", band="std"
    )

    assert axes.get_title("left") == "val_loss by learning_rate"
    assert axes.get_title("right").split(" · ")[:3] == [
        "mean of 3 runs",
        "band: ± standard deviation",
        "smoothed: exponential 0.6",
    ]


def test_groups_of_one_run_have_no_band_to_name(store: Store) -> None:
    axes = viz.plot_curves(store, "val_loss", group_by=["learning_rate", "seed"])

    assert axes.get_title("right") == "6 runs"


def test_a_narrow_figure_has_its_notes_in_lines_under_the_title(store: Store) -> None:
    options = {"metric": "val_loss", "group_by": "learning_rate", "smooth": "ema:0.6"}
    style = {"size": [3.5, 2.5]}
    (axes,) = draw_figure(store, FigureSpec("curves", options=options, style=style)).axes

    assert axes.get_title("left") == "val_loss by learning_rate"
    note = axes.get_title("right")
    assert note.count("\n") == 1
    assert "band: least to greatest" in note
    assert "smoothed: exponential 0.6" in note
    figure_width = 3.5 * 150
    assert axes.get_window_extent().width > 0.5 * figure_width


def test_short_labels_say_the_group_and_its_value(store: Store) -> None:
    options = {"metric": "val_loss", "group_by": "learning_rate"}
    style = {"size": [3.5, 2.5]}
    (axes,) = draw_figure(store, FigureSpec("curves", options=options, style=style)).axes

    assert [label.partition(":")[0] for label in labels(axes)] == ["0.01", "0.1"]


@pytest.mark.parametrize("place", range(6))
def test_no_text_of_small_axes_leaves_the_figure(store: Store, place: int) -> None:
    figure, every = grid()
    axes = every[place]
    viz.plot_curves(store, "val_loss", group_by="learning_rate", ax=axes)

    assert outside(figure, axes) == []
    is_last = place % 3 == 2  # beside it there is nothing but the edge
    said = labels(axes) if is_last else legend(axes)
    assert [text.partition(":")[0] for text in said] == ["0.01", "0.1"]


def test_small_axes_of_runs_tell_long_names_apart(store: Store) -> None:
    figure, every = grid()
    viz.plot_curves(store, "val_loss", ax=every[0])

    names = legend(every[0])
    assert outside(figure, every[0]) == []
    assert len(set(names)) == len(names) >= 3


def test_labels_beside_axes_with_room_stay_there(store: Store) -> None:
    figure = Figure(figsize=(8.0, 4.0))
    axes = figure.add_axes((0.1, 0.15, 0.5, 0.7))
    viz.plot_curves(store, "val_loss", group_by="learning_rate", ax=axes)

    assert outside(figure, axes) == []
    assert len(labels(axes)) == 2
    assert axes.get_legend() is None


def test_runs_whose_long_names_begin_alike_are_called_by_their_ends(store: Store) -> None:
    found = labels(viz.plot_curves(store, "val_loss"))

    assert len(set(found)) == 6
    assert all(label.startswith("…") for label in found)
    assert {label.partition(":")[0][-9:] for label in found} == {
        f"restart_{number}" for number in range(6)
    }


def test_a_line_over_a_loss_has_no_value_at_its_beginning(store: Store) -> None:
    axes = viz.plot_curves(store, "val_loss", x="val_loss")

    assert all(":" not in label for label in labels(axes))


def test_runs_that_have_nothing_to_draw_are_counted_and_an_end_in_nan_is_said(
    store_path: Path,
) -> None:
    for name, last in (("one", 0.5), ("two", math.inf), ("three", math.nan)):
        with stepwell.init(name=name, store=store_path) as run:
            run.log({"val_loss": 2.0})
            run.log({"val_loss": last})
    with stepwell.init(name="never", store=store_path) as run:
        run.log({"val_loss": math.nan})
    stepwell.init(name="empty", store=store_path).finish()

    axes = viz.plot_curves(stepwell.open_store(store_path), "val_loss")

    assert sorted(labels(axes)) == ["one: 0.5", "three: 2, then nan", "two: 2, then inf"]
    assert axes.get_title("right") == "3 runs · 2 without a value"


def test_runs_beyond_the_axis_of_a_history_are_marked_and_counted(
    store_path: Path,
) -> None:
    for number, loss in enumerate([1.0, 1.5, 1e9, 1.2, 0.9, 1.1, 1.3, 1.4, 1.0, 1.25, 1.1]):
        with stepwell.init(name=f"run-{number}", store=store_path) as run:
            run.log({"val_loss": loss})

    axes = viz.plot_optimization_history(stepwell.open_store(store_path), "val_loss")

    assert axes.get_title("right") == "11 runs · lower is better · 1 beyond the axis"
    places = [np.asarray(dots.get_offsets()).tolist() for dots in axes.collections]
    assert [[3.0, axes.get_ylim()[1]]] in places


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_share_can_be_read_on_its_bar(store: Store, theme: str) -> None:
    value = replace(store.importance("val_loss"), eta2=np.array([0.07, 0.0]))
    axes = draw_param_importances(value, new_axes((5.0, 3.0), THEMES[theme]), THEMES[theme])

    (share,) = (text for text in axes.texts if text.get_text().startswith("7%"))
    assert share.get_horizontalalignment() == "right"
    bar = to_hex(axes.patches[0].get_facecolor())
    assert contrast(str(share.get_color()), bar) >= TEXT_CONTRAST
