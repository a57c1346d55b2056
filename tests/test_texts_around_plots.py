"""What stands around a plot of many runs has room: its heading, and labels of lines."""

from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

import stepwell
from stepwell import viz
from stepwell.store import FigureSpec, Store
from stepwell.viz._plots import draw_figure
from stepwell.viz._text import clean, text_width

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
