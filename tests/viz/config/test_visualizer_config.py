"""Which configurations can be drawn, and what is said about the others."""

import json
from dataclasses import replace
from typing import Any

import pytest

from stepwell.store import ConfigurationError
from stepwell.viz import (
    MetricConfig,
    PlotConfig,
    TrainingVisualizerConfig,
    config_of,
    layout_of,
    validate,
)
from stepwell.viz.config.color_names import is_color

FULL = TrainingVisualizerConfig(
    subplot_rows=1,
    subplot_cols=2,
    figure_size=(9, 4),
    title="Größe",
    max_points=50,
    plots=[PlotConfig("Loss", "nats", yscale="log", color_cycle=["#123", "tab:blue"])],
    metrics=[MetricConfig("loss", 0, "C3", "Training", "--", 0.5), MetricConfig("f1", 1)],
    theme="dark",
)


def test_the_defaults_can_be_drawn() -> None:
    validate(TrainingVisualizerConfig())


@pytest.mark.parametrize(
    "values",
    [
        {"subplot_rows": 0},
        {"subplot_cols": -1},
        {"subplot_rows": 1.5},
        {"update_interval": 0},
        {"max_points": 0},
        {"pause_duration": -0.1},
        {"pause_duration": float("nan")},
        {"drawing_share": 1.5},
        {"theme": "sepia"},
        {"window": "floating"},
        {"figure_size": (12,)},
        {"figure_size": (0, 8)},
    ],
)
def test_an_unusable_value_is_named(values: dict[str, Any]) -> None:
    ((name, value),) = values.items()
    with pytest.raises(ConfigurationError, match=name) as caught:
        validate(TrainingVisualizerConfig(**values))
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"plot_index": -1}, "plot_index must be 0 to 3 in a layout of 2 x 2, not -1"),
        ({"plot_index": 4}, "plot_index must be 0 to 3 in a layout of 2 x 2, not 4"),
        ({"alpha": 1.01}, "alpha must be a number between 0 and 1, not 1.01"),
        ({"alpha": -0.01}, "alpha must be a number between 0 and 1, not -0.01"),
        ({"line_style": "dashed"}, "line_style must be one of '-', '--', ':', '-.'"),
        ({"color": "bleu"}, "color: 'bleu' is not a colour"),
    ],
)
def test_an_unusable_metric_is_named(changes: dict[str, Any], said: str) -> None:
    metric = replace(MetricConfig("val_loss", 0), **changes)
    with pytest.raises(ConfigurationError) as caught:
        validate(TrainingVisualizerConfig(metrics=[metric]))
    assert "metric 'val_loss'" in str(caught.value)
    assert said in str(caught.value)


def test_an_unknown_scale_is_named_with_its_plot() -> None:
    config = TrainingVisualizerConfig(plots=[PlotConfig("Loss", "", yscale="cubic")])
    with pytest.raises(ConfigurationError, match=r"plot 0 \('Loss'\): yscale .*'cubic'"):
        validate(config)


@pytest.mark.parametrize("cycle", [[], ["blue", "no such colour"]])
def test_an_unusable_colour_cycle_is_named_with_its_plot(cycle: list[str]) -> None:
    plot = PlotConfig("Loss", "", color_cycle=cycle)
    with pytest.raises(ConfigurationError, match=r"plot 0 \('Loss'\): color_cycle"):
        validate(TrainingVisualizerConfig(plots=[plot]))


def test_the_first_plot_without_a_cell_is_named() -> None:
    plots = [PlotConfig(title, "") for title in ("A", "B", "C")]
    with pytest.raises(ConfigurationError, match=r"plot 2 \('C'\) has no cell"):
        validate(TrainingVisualizerConfig(1, 2, plots=plots))


def test_fewer_plots_than_cells_are_fine() -> None:
    validate(TrainingVisualizerConfig(2, 2, plots=[PlotConfig("A", "")]))


def test_a_configuration_error_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="subplot_rows"):
        validate(TrainingVisualizerConfig(subplot_rows=0))


@pytest.mark.parametrize(
    "color",
    ["blue", "DarkGreen", "tab:orange", "k", "C0", "#abc", "#aabbcc", "#aabbccdd", "0.5"],
)
def test_what_matplotlib_takes_is_a_colour(color: str) -> None:
    from matplotlib.colors import is_color_like  # noqa: PLC0415

    assert is_color(color)
    assert is_color_like(color)


@pytest.mark.parametrize(
    "color", ["", "bleu", "#12345", "tab:black", "C10x", "2.5", 7, None]
)
def test_anything_else_is_no_colour(color: object) -> None:
    assert not is_color(color)


def test_every_css_name_is_a_colour() -> None:
    from matplotlib.colors import CSS4_COLORS  # noqa: PLC0415

    assert [name for name in CSS4_COLORS if not is_color(name)] == []


def test_a_configuration_survives_as_json() -> None:
    assert config_of(json.loads(json.dumps(layout_of(FULL)))) == FULL


def test_a_layout_of_a_newer_version_can_be_read() -> None:
    layout: dict[str, Any] = layout_of(FULL) | {"new": 1}
    layout["plots"] = [plot | {"new": 2} for plot in layout["plots"]]
    assert config_of(layout) == FULL


@pytest.mark.parametrize(
    "layout",
    [
        {"plots": [{"title": "no ylabel"}]},
        {"plots": 3},
        {"metrics": ["loss"]},
        {"theme": 1},
    ],
)
def test_a_layout_of_something_else_is_refused(layout: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        config_of(layout)


class NoText:
    """A value whose own code raises when it is asked for its text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"subplot_rows": NoText()}, "subplot_rows must be .* <NoText>"),
        ({"pause_duration": NoText()}, "pause_duration must be .* <NoText>"),
        ({"figure_size": (NoText(), 4)}, r"figure_size must be .* <tuple>"),
        ({"theme": NoText()}, "theme must be one of .* <NoText>"),
        ({"metrics": [MetricConfig(NoText(), 0)]}, "metric_name must be .* <NoText>"),  # type: ignore[arg-type]
        ({"metrics": [MetricConfig("f1", 0, NoText())]}, "<NoText> is not a colour"),  # type: ignore[arg-type]
    ],
)
def test_a_value_without_a_text_is_refused_by_its_type(
    values: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        validate(replace(TrainingVisualizerConfig(), **values))
