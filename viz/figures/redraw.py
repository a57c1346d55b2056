"""Drawing figures again: those that a store keeps, and those that a picture shows."""

from pathlib import Path
from typing import TYPE_CHECKING

from stepwell.store import KeptFigure
from stepwell.viz.drawing.picture_metadata import PICTURES, read_spec

from .picture_names import picture_name
from .run_figure import save_run_spec
from .run_spec import RUN, run_options

if TYPE_CHECKING:
    from stepwell.store import FigureSpec, Store


def redraw(
    store: "Store",
    figure: "FigureSpec | KeptFigure | Path | str",
    path: str | Path | None = None,
) -> Path:
    """Draw a figure from what the store holds now.

    The same figure of an unchanged store gives the same file, byte by byte.

    Args:
        store: Where the runs are; need not be the one that the figure was made from.
        figure: A spec, a kept figure, the name of one, or the path of a picture that was
            made by Stepwell (it ends in .png, .svg or .pdf).
        path: The file to write: .png, .svg or .pdf. It carries the spec. By default the
            picture itself, or a PNG that is called as the figure is.

    Returns:
        The path of the file.

    Raises:
        LookupFailedError: There is no such figure, run or metric.
        ConfigurationError: The picture does not say how it was made, or the figure can't
            be drawn from this store.
        OSError: A file can't be read or written.
    """
    spec = spec_of(store, figure)
    check_figure(spec)
    target = path or _default_path(figure)
    if spec.kind == RUN:
        return save_run_spec(store, spec, target)
    from .plot_kinds import save_figure_file  # noqa: PLC0415 (loads matplotlib)

    return save_figure_file(store, spec, target)


def spec_of(store: "Store", figure: "FigureSpec | KeptFigure | Path | str") -> "FigureSpec":
    """The spec of a figure, however it is named; see `redraw`."""
    if isinstance(figure, Path) or (isinstance(figure, str) and is_picture(figure)):
        return read_spec(figure)
    kept = store.figure(figure) if isinstance(figure, str) else figure
    return kept.spec if isinstance(kept, KeptFigure) else kept


def _default_path(figure: "FigureSpec | KeptFigure | Path | str") -> Path:
    if isinstance(figure, Path) or (isinstance(figure, str) and is_picture(figure)):
        return Path(figure)
    if isinstance(figure, str):
        name = figure
    else:
        name = figure.name if isinstance(figure, KeptFigure) else figure.kind
    return Path(picture_name(name))


def is_picture(name: str) -> bool:
    """Whether a text is the path of a picture, and not a figure's name."""
    return name.lower().endswith(PICTURES)


def check_figure(spec: "FigureSpec") -> None:
    """Refuse a figure that could not be drawn from any store.

    Args:
        spec: How it would be made.

    Raises:
        ConfigurationError: Its kind or an option is unknown.
    """
    if spec.kind == RUN:
        run_options(spec)
    else:
        from .plot_kinds import check_plot  # noqa: PLC0415 (loads matplotlib)

        check_plot(spec)
