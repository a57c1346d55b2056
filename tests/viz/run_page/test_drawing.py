"""What stands on the figure: axes, curves, marks and texts."""

import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from stepwell.store import Run, start_run
from stepwell.viz import MetricConfig, PlotConfig, TrainingVisualizerConfig
from stepwell.viz.base.theme import DARK
from stepwell.viz.drawing.rc_params import own_style
from stepwell.viz.run_page.curve import Mark
from stepwell.viz.run_page.draw_page import draw, new_figure
from stepwell.viz.run_page.page import Page, prepare

LOSSES = TrainingVisualizerConfig(
    1,
    2,
    (10, 4),
    plots=[PlotConfig("Loss", "Loss", yscale="log"), PlotConfig("Accuracy", "Score")],
    metrics=[
        MetricConfig("train_loss", 0),
        MetricConfig("val_loss", 0),
        MetricConfig("val_accuracy", 1),
    ],
)


@pytest.fixture
def run(store_path: Path) -> Iterator[Run]:
    run = start_run(name="moe", store=store_path)
    yield run
    run.finish()


def train(run: Run, steps: int = 200) -> None:
    random = np.random.default_rng(5)
    for step in range(steps):
        metrics = {"train_loss": 2 * math.exp(-step / 90) * float(random.normal(1, 0.1))}
        if step % 20 == 0:
            metrics |= {"val_loss": 2.2 * math.exp(-step / 90), "val_accuracy": step / 400}
        run.log(metrics)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Run:
    """A run that has ended, for what does not change it."""
    store = shutil.copy(empty_store, tmp_path_factory.mktemp("trained") / "s.duckdb")
    with start_run(name="moe", store=store) as run:
        train(run)
    return run


def page_of(run: Run, config: TrainingVisualizerConfig = LOSSES) -> Page:
    return prepare(run.store(), run.id, config)


def axes_of(figure: Figure, index: int = 0) -> Axes:
    (axes,) = [axes for axes in figure.axes if axes.get_label() == f"panel {index}"]
    return axes


def line(axes: Axes, metric: str) -> list[list[float]]:
    (found,) = [line for line in axes.lines if line.get_gid() == metric]
    return np.asarray(found.get_xydata()).tolist()  # type: ignore[no-any-return]


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def labels(axes: Axes) -> list[Annotation]:
    return [
        text
        for text in axes.texts
        if isinstance(text, Annotation) and text.get_fontweight() == "bold"
    ]


def test_each_panel_has_its_title_and_its_notes(trained: Run) -> None:
    figure = new_figure(page_of(trained))
    assert [axes_of(figure, index).get_title("left") for index in (0, 1)] == [
        "Loss",
        "Accuracy",
    ]
    assert axes_of(figure).get_title("right") == "log · line: smoothed · band: min–max"
    assert axes_of(figure, 1).get_title("right") == "Score"


def test_a_curve_goes_through_the_points(trained: Run) -> None:
    axes = axes_of(new_figure(page_of(trained)), 1)
    assert line(axes, "val_accuracy") == [[step, step / 400] for step in range(0, 200, 20)]


def test_panels_have_one_axis_of_steps(trained: Run) -> None:
    figure = new_figure(page_of(trained))
    assert axes_of(figure, 0).get_xlim() == axes_of(figure, 1).get_xlim() == (0, 199)


def test_axes_have_few_ticks_and_no_minor_ones(trained: Run) -> None:
    for axes in new_figure(page_of(trained)).axes:
        assert len(axes.get_yticks()) <= 5
        assert len(axes.get_xticks()) <= 5
        assert list(axes.get_yticks(minor=True)) == []


def test_axes_in_a_row_stand_on_one_line(trained: Run) -> None:
    first, second = new_figure(page_of(trained)).axes
    assert first.get_position().y0 == pytest.approx(second.get_position().y0)
    assert first.get_position().y1 == pytest.approx(second.get_position().y1)


def test_curves_are_named_at_their_ends_with_their_values(trained: Run) -> None:
    found = [label.get_text() for label in labels(axes_of(new_figure(page_of(trained))))]
    train = page_of(trained).panels[0].curves[0]
    assert train.is_smoothed
    assert train.end is not None
    assert [text.split() for text in found] == [
        ["train", f"{train.end.value:.4g}"],
        ["val", f"{2.2 * math.exp(-2):.4g}"],
    ]


def test_labels_never_overlap(run: Run) -> None:
    names = [f"value {letter}" for letter in "abcdef"]
    run.log(dict.fromkeys(names, 1.0))
    run.log(dict.fromkeys(names, 1.0))
    config = TrainingVisualizerConfig(1, 1, metrics=[MetricConfig(n, 0) for n in names])
    figure = new_figure(page_of(run, config))
    with own_style():
        figure.draw_without_rendering()
        boxes = [label.get_window_extent() for label in labels(axes_of(figure))]
    assert len(boxes) == 6
    assert not any(
        one.overlaps(two) for i, one in enumerate(boxes) for two in boxes[i + 1 :]
    )


def test_everything_stays_on_the_figure(trained: Run) -> None:
    for size in ((4, 3), (10, 4), (30, 20)):
        figure = new_figure(page_of(trained, replace(LOSSES, figure_size=size)))
        with own_style():
            figure.draw_without_rendering()
            drawn = [text for axes in figure.axes for text in axes.texts] + figure.texts
            boxes = [text.get_window_extent() for text in drawn if text.get_text()]
        edges = figure.bbox
        assert all(box.x0 >= edges.x0 and box.x1 <= edges.x1 for box in boxes), size


def test_many_curves_have_a_legend_instead_of_labels(run: Run) -> None:
    names = [f"value {letter}" for letter in "abcdefghij"]
    run.log(dict.fromkeys(names, 1.0))
    config = TrainingVisualizerConfig(1, 1, metrics=[MetricConfig(n, 0) for n in names])
    axes = axes_of(new_figure(page_of(run, config)))
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == names
    assert labels(axes) == []


def test_a_legend_that_is_too_long_says_how_many_more(run: Run) -> None:
    names = [f"value {number} x" for number in range(40)]
    run.log(dict.fromkeys(names, 1.0))
    config = TrainingVisualizerConfig(
        1, 1, (4, 3), metrics=[MetricConfig(n, 0) for n in names]
    )
    legend = axes_of(new_figure(page_of(run, config))).get_legend()
    assert legend is not None
    shown = [text.get_text() for text in legend.get_texts()]
    assert shown[-1] == f"+{40 - len(shown) + 1} more"


def test_without_a_legend_there_are_no_labels_either(trained: Run) -> None:
    config = replace(LOSSES, plots=[PlotConfig("Loss", "Loss", show_legend=False)])
    axes = axes_of(new_figure(page_of(trained, config)))
    assert axes.get_legend() is None
    assert labels(axes) == []


def test_the_grid_can_be_left_out(trained: Run) -> None:
    config = replace(LOSSES, plots=[PlotConfig("Loss", "Loss", show_grid=False)])
    figure = new_figure(page_of(trained, config))
    grids = [
        any(grid.get_visible() for grid in axes_of(figure, index).get_ygridlines())
        for index in (0, 1)
    ]
    assert grids == [False, True]


def test_the_best_point_has_a_ring(trained: Run) -> None:
    axes = axes_of(new_figure(page_of(trained)), 1)
    (ring,) = [line for line in axes.lines if line.get_label() == "val_accuracy best"]
    assert np.asarray(ring.get_xydata()).tolist() == [[180, 0.45]]
    assert ring.get_markerfacecolor() == "none"
    assert "best" in texts(axes)


def box_of_best(page: Page) -> tuple[Axes, Bbox]:
    """The first axes of a page, and where the word "best" stands in them."""
    figure = new_figure(page)
    figure.draw_without_rendering()
    axes = axes_of(figure)
    (word,) = [text for text in axes.texts if text.get_text() == "best"]
    return axes, word.get_window_extent()


def test_the_word_best_stays_clear_of_the_labels(run: Run) -> None:
    for step in range(10):
        run.log({"train_loss": 2.02 - step / 5, "val_loss": 2 - step / 5})
    config = replace(LOSSES, plots=[PlotConfig("Loss", "")], metrics=LOSSES.metrics[:2])
    with own_style():
        axes, box = box_of_best(page_of(run, config))
        others = [label.get_window_extent() for label in labels(axes)]
    assert len(others) == 2
    assert not any(box.overlaps(other) for other in others)


@pytest.mark.parametrize(("metric", "last"), [("val_loss", 0.1), ("val_accuracy", 0.9)])
@pytest.mark.parametrize("other", [0.02, 0.07, 0.5, math.nan])
def test_the_word_best_stays_clear_of_lines(
    run: Run, metric: str, last: float, other: float
) -> None:
    for value in np.geomspace(0.5, last, 100):
        run.log({metric: value, "train_loss": other})
    names = (metric, "train_loss")
    config = TrainingVisualizerConfig(
        1,
        1,
        (4, 5),
        plots=[PlotConfig("Both", "", yscale="log")],
        metrics=[MetricConfig(name, 0) for name in names],
    )
    with own_style():
        axes, box = box_of_best(page_of(run, config))
        lines = [axes.transData.transform(line(axes, name)) for name in names]
    assert [box.count_contains(points) for points in lines] == [0, 0]


def test_a_noisy_curve_has_a_band(run: Run) -> None:
    train(run, steps=3000)
    axes = axes_of(new_figure(page_of(run)))
    assert [band.get_label() for band in axes.collections] == ["train_loss band"]


def test_what_is_not_finite_is_marked_at_the_edges(trained: Run) -> None:
    page = page_of(trained)
    marks = (Mark(3, math.nan), Mark(4, math.inf), Mark(5, -math.inf))
    panel = page.panels[0]
    curve = replace(panel.curves[0], non_finite=marks, non_finite_count=3)
    page = replace(page, panels=(replace(panel, curves=(curve,)), *page.panels[1:]))
    axes = axes_of(new_figure(page))
    found = [line for line in axes.lines if line.get_label() == "train_loss not finite"]
    assert [
        (np.asarray(line.get_xydata()).tolist(), line.get_marker()) for line in found
    ] == [([[3, 1]], "v"), ([[4, 1]], "^"), ([[5, 0]], "v")]


def test_a_far_spike_is_written_at_the_edge(run: Run) -> None:
    for step, value in enumerate(1 + np.random.default_rng(1).normal(0, 0.05, 2000)):
        run.log({"loss": 1e6 if step == 700 else float(value)})
    config = TrainingVisualizerConfig(1, 1, metrics=[MetricConfig("loss", 0)])
    assert "1M @ 700" in texts(axes_of(new_figure(page_of(run, config))))


def test_an_empty_panel_says_what_it_waits_for(run: Run) -> None:
    axes = axes_of(new_figure(page_of(run)))
    assert texts(axes) == ["waiting for train_loss, val_loss"]


def test_an_empty_panel_of_a_run_that_has_ended_waits_no_longer(run: Run) -> None:
    run.finish()
    axes = axes_of(new_figure(page_of(run)))
    assert texts(axes) == ["no values of train_loss, val_loss"]


def test_the_header_has_name_title_status_and_facts(run: Run) -> None:
    train(run)
    run.finish("failed", "out of memory")
    found = " | ".join(text.get_text() for text in new_figure(page_of(run)).texts)
    assert "moe" in found
    assert "Real-time Training Progress" in found
    assert "FAILED" in found
    assert "step 200" in found
    assert "best val loss 0.2977 @ 180" in found


def test_the_footer_has_what_no_panel_shows_as_far_as_it_fits(run: Run) -> None:
    run.log({"train_loss": 1.0} | {f"another/metric_{n}": 1.0 for n in range(50)})
    found = [text.get_text() for text in new_figure(page_of(run)).texts]
    (footer,) = [
        text for text in found if text.startswith("also recorded: another/metric_0 1,")
    ]
    shown = footer.count("another")
    assert footer.endswith(f"+{50 - shown} more")


def test_long_texts_end_with_an_ellipsis(store_path: Path) -> None:
    with start_run(name="long " * 50, store=store_path) as run:
        train(run)
        config = replace(LOSSES, title="title " * 90, plots=[PlotConfig("panel " * 50, "")])
        figure = new_figure(page_of(run, config))
    assert figure.texts[0].get_text().endswith("…")
    assert axes_of(figure).get_title("left").endswith("…")


@pytest.mark.parametrize(
    "name", ["größe", "損失", "loss 🎯", "$x_1$ $", "a\nb", "\x07", "%s {x}"]
)
def test_any_name_can_be_drawn(store_path: Path, name: str) -> None:
    with start_run(name=name, store=store_path) as run:
        run.log({name: 1.0})
        config = TrainingVisualizerConfig(
            1,
            1,
            title=name,
            plots=[PlotConfig(name, name, name)],
            metrics=[MetricConfig(name, 0)],
        )
        figure = new_figure(page_of(run, config))
    with own_style():
        figure.draw_without_rendering()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("rows", "columns", "size"),
    [(1, 1, (4, 3)), (4, 5, (12, 8)), (1, 1, (40, 2)), (6, 1, (3, 3))],
)
def test_any_layout_can_be_drawn(
    run: Run, theme: str, rows: int, columns: int, size: tuple[int, int]
) -> None:
    train(run, steps=30)
    cells = range(rows * columns)
    config = TrainingVisualizerConfig(
        rows,
        columns,
        size,
        plots=[PlotConfig(f"Panel {cell}", "unit", yscale="symlog") for cell in cells],
        metrics=[MetricConfig("train_loss", cell) for cell in cells],
        theme=theme,
    )
    figure = new_figure(page_of(run, config))
    with own_style():
        figure.draw_without_rendering()
    assert len(figure.axes) == rows * columns


def test_the_dark_theme_is_dark(trained: Run) -> None:
    figure = new_figure(page_of(trained, replace(LOSSES, theme="dark")))
    assert to_hex(figure.get_facecolor()) == DARK.background
    (found,) = [line for line in axes_of(figure).lines if line.get_gid() == "train_loss"]
    assert found.get_color() == DARK.palette[0]


def test_many_experts_are_drawn_as_a_map_below_the_curves(run: Run) -> None:
    names = [f"expert_{number}" for number in range(16)]
    for _ in range(5):
        run.log(
            {"expert_entropy": 2.0} | {name: 3.0 - (name == "expert_3") for name in names}
        )
    config = TrainingVisualizerConfig(
        1, 1, metrics=[MetricConfig(name, 0) for name in ["expert_entropy", *names]]
    )
    figure = new_figure(page_of(run, config))
    curves, shares = figure.axes
    assert shares.get_label() == "experts 0"
    assert curves.get_position().y0 > shares.get_position().y1
    assert [image.get_array() is not None for image in shares.images] == [True]
    assert any(text.startswith("e3 0.68") for text in texts(shares))


def test_drawing_again_replaces_what_was_there(trained: Run) -> None:
    page = page_of(trained)
    figure = new_figure(page)
    before = len(figure.texts), len(figure.axes)
    draw(page, figure)
    assert (len(figure.texts), len(figure.axes)) == before


def test_drawing_changes_no_setting_of_the_user(trained: Run) -> None:
    with mpl.rc_context({"font.size": 33.0, "axes.facecolor": "red", "text.usetex": True}):
        before = dict(dict.items(mpl.rcParams))
        figure = new_figure(page_of(trained))
        with own_style():
            figure.draw_without_rendering()
        assert dict(dict.items(mpl.rcParams)) == before
    assert all(float(text.get_fontsize()) < 20 for text in figure.texts)
