"""A kept figure keeps its size, sharpness and title, and is drawn the same each time."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure

from stepwell.cli import main
from stepwell.store import ConfigurationError, FigureSpec, Store
from stepwell.viz import check_figure, read_spec, redraw
from stepwell.viz.figures.plot_kinds import PLOTS, draw_figure

Make = Callable[..., Store]
NEEDED = {"slice": {"param": "lr"}, "contour": {"x": "lr", "y": "seed"}}
STYLE = {"theme": "dark", "size": [5, 3.5], "dpi": 60, "title": "Figure 1: rates"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, make_sweep: Make) -> Store:
    configs = [{"lr": rate, "seed": seed} for rate in (0.1, 0.2, 0.4) for seed in (0, 1)]
    losses = [config["lr"] + config["seed"] / 100 for config in configs]
    return make_sweep(tmp_path_factory.mktemp("style") / "s.duckdb", configs, losses)


def spec_of(kind: str, style: dict[str, Any]) -> FigureSpec:
    if kind == "run":
        return FigureSpec("run", style=style)
    return FigureSpec(kind, options={"metric": "loss"} | NEEDED.get(kind, {}), style=style)


@pytest.mark.parametrize("kind", ["run", *PLOTS])
def test_a_styled_figure_is_redrawn_byte_by_byte(
    store: Store, tmp_path: Path, kind: str
) -> None:
    spec = spec_of(kind, STYLE)
    drawn = {}
    for suffix in (".png", ".svg"):
        first = redraw(store, spec, tmp_path / f"a{suffix}")
        second = redraw(store, first, tmp_path / f"b{suffix}")
        drawn[suffix] = first.read_bytes()
        assert read_spec(first) == spec
        assert drawn[suffix] == second.read_bytes()

    wide, high = struct.unpack(">II", drawn[".png"][16:24])
    assert (wide, high) == (300, 210)
    image = drawn[".svg"].decode()
    assert 'width="360pt" height="252pt"' in image
    assert "<!-- Figure 1: rates" in image
    assert "#11161d" in image


@pytest.mark.parametrize("kind", PLOTS)
@pytest.mark.parametrize("size", [[1.5, 1.5], [3.5, 2.5], [20, 3]])
def test_a_figure_of_any_size_can_be_drawn(
    store: Store, kind: str, size: list[float]
) -> None:
    figure = draw_figure(store, spec_of(kind, {"size": size}))

    assert isinstance(figure, Figure)
    assert figure.get_size_inches().tolist() == size
    figure.draw_without_rendering()


def test_notes_keep_their_room_under_a_long_title(store: Store) -> None:
    axes = draw_figure(store, spec_of("edf", {"title": "long " * 30})).axes[0]
    usual = draw_figure(store, spec_of("edf", {})).axes[0]

    assert axes.get_title("left").endswith("…")
    assert axes.get_title("right") == usual.get_title("right")
    short = draw_figure(store, spec_of("edf", {"title": "A"})).axes[0]
    assert short.get_title("left") == "A"
    assert short.get_title("right") == usual.get_title("right") != ""


@pytest.mark.parametrize("kind", ["run", "curves"])
@pytest.mark.parametrize(
    ("style", "said"),
    [
        ({"size": 3}, "size must be a width and a height of 1.5 to 60 inches, not 3"),
        ({"size": [3]}, "size must be"),
        ({"size": [3, True]}, "size must be"),
        ({"size": [3, 1e9]}, "size must be"),
        ({"size": "6x4"}, "size must be"),
        ({"size": [60, 40], "dpi": 600}, "60 x 40 at 600 dpi is more than 20,000 pixels"),
        ({"dpi": 0}, "dpi must be a whole number from 30 to 1200, not 0"),
        ({"dpi": 72.5}, "dpi must be"),
        ({"dpi": True}, "dpi must be"),
        ({"title": " "}, "title must be a text"),
        ({"title": 3}, "title must be a text"),
        ({"theme": "sepia"}, "theme must be one of light, dark, not 'sepia'"),
        ({"colour": "red"}, "has no style 'colour'; it has theme, size, dpi, title"),
    ],
)
def test_a_style_that_cannot_be_drawn_is_refused(
    kind: str, style: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        check_figure(spec_of(kind, style))


def test_the_command_keeps_the_style(store: Store) -> None:
    def command(*options: str) -> Any:
        place = ["--store", str(store.location), "figure", "save", "paper"]
        return CliRunner().invoke(main, [*place, "edf", "-m", "loss", *options])

    kept = command("--size", "5x3.5", "--dpi", "60", "--title", "Figure 1: rates", "--dark")
    assert kept.exit_code == 0, kept.output
    assert store.figure("paper").spec == spec_of("edf", STYLE)
    for wrong in (["--size", "5"], ["--size", "0x1"], ["--dpi", "1"], ["--title", ""]):
        assert command(*wrong).exit_code == 2
