"""The whole figure on matplotlib, without pyplot and without a window."""

from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from stepwell.viz.base.theme import DOTS_PER_INCH
from stepwell.viz.drawing.contrast import readable_color
from stepwell.viz.drawing.picture_file import content_of, target_path, write_whole
from stepwell.viz.drawing.rc_params import own_style
from stepwell.viz.drawing.text import clean, fitted, text_width

from .draw_axes import (
    add_axes,
    draw_titles,
    draw_waiting,
    draw_xlabel,
    scale_texts,
    set_scale,
)
from .draw_curves import draw_curves
from .draw_experts import draw_experts
from .draw_labels import draw_labels, draw_legend
from .layout import Arrangement, Place, arrange
from .page import Page

if TYPE_CHECKING:
    from stepwell.store import FigureSpec

_NAME_SIZE = 16.0
_TITLE_SIZE = 9.5
_FACT_SIZE = 10.0
_STATUS_SIZE = 10.0
_FOOT_SIZE = 8.0
_SEPARATOR = "   ·   "


def new_figure(page: Page) -> Figure:
    """A figure with *page* drawn on it."""
    with own_style():
        figure = Figure(figsize=page.size, dpi=DOTS_PER_INCH)
        draw(page, figure)
    return figure


def draw(page: Page, figure: Figure) -> None:
    """Draw *page* on *figure*, in place of what is there."""
    with own_style():
        figure.clear()
        figure.set_facecolor(page.theme.background)
        arrangement = arrange(page)
        draw_header(figure, page, arrangement)
        for place in arrangement.places:
            draw_panel(figure, page, place)
        draw_footer(figure, page, arrangement)


def draw_panel(figure: Figure, page: Page, place: Place) -> None:
    """Draw one panel in its cell."""
    panel = place.panel
    upper = lower = None
    if place.axes:
        upper = lower = add_axes(figure, page, place.axes, name=f"panel {panel.index}")
        scale_texts(upper, place.text)
        if panel.scale:
            set_scale(upper, panel.scale, page, has_grid=panel.show_grid)
            draw_curves(upper, place, page)
            draw_labels(upper, place, page)
            draw_legend(upper, place, page)
        else:
            draw_waiting(upper, place, page)
    if place.experts:
        name = f"experts {panel.index}"
        lower = add_axes(figure, page, place.experts, name=name)
        scale_texts(lower, place.text)
        draw_experts(lower, place, page)
        if upper:
            upper.tick_params(axis="x", labelbottom=False)
    upper = upper or lower
    if upper and lower:
        draw_titles(upper, place, page)
        if not panel.is_empty:
            draw_xlabel(lower, place, page)


def draw_header(figure: Figure, page: Page, arrangement: Arrangement) -> None:
    """Name, title and status; below them the facts; below them a rule."""
    header, theme = page.header, page.theme
    factor, box = arrangement.grid.page_text, arrangement.grid.header
    left, right = arrangement.left, box.width - 0.2 * factor
    width, height = page.size
    first, second = box.top - 0.46 * factor, box.top - 0.78 * factor
    status_color = readable_color(theme.status.get(header.status, theme.muted), theme)
    status = "●  " + header.standing
    room = right - left - text_width(status, _STATUS_SIZE * factor, "bold") - 0.2
    name = fitted(header.name, _NAME_SIZE * factor, room, "bold")
    after = left + text_width(name, _NAME_SIZE * factor, "bold") + 0.14 * factor
    title = "  ·  ".join(part for part in (clean(header.title), header.run_id) if part)
    title = fitted(title, _TITLE_SIZE * factor, left + room - after)
    for text, x, y, size, color, weight, side in (
        (name, left, first, _NAME_SIZE, theme.text, "bold", "left"),
        (title, after, first, _TITLE_SIZE, theme.muted, "normal", "left"),
        (status, right, first, _STATUS_SIZE, status_color, "bold", "right"),
        (
            _facts(page, right - left, factor),
            left,
            second,
            _FACT_SIZE,
            theme.text,
            "normal",
            "left",
        ),
    ):
        figure.text(
            x / width,
            y / height,
            text,
            color=color,
            fontsize=size * factor,
            fontweight=weight,
            ha=side,
            va="baseline",
        )
    _draw_rule(figure, page, left, right, box.bottom + 0.12 * factor)


def draw_footer(figure: Figure, page: Page, arrangement: Arrangement) -> None:
    """Metrics that no panel shows, at the left; what part is shown, at the right."""
    factor, box = arrangement.grid.page_text, arrangement.grid.footer
    width, height = page.size
    left, right = arrangement.left, box.width - 0.2 * factor
    size = _FOOT_SIZE * factor
    y = (box.bottom + 0.13 * factor) / height
    style = {"color": page.theme.muted, "fontsize": size, "va": "baseline"}
    remark = clean(page.remark)
    if remark:
        figure.text(right / width, y, remark, ha="right", **style)  # type: ignore[arg-type]
    room = right - left - text_width(remark, size) - 0.2
    recorded = _recorded(page.recorded, size, room)
    if recorded:
        figure.text(left / width, y, recorded, ha="left", **style)  # type: ignore[arg-type]


def _facts(page: Page, room: float, factor: float) -> str:
    """The facts, the last left out first where they don't fit."""
    facts = [clean(fact) for fact in page.header.facts]
    while len(facts) > 1:
        text = _SEPARATOR.join(facts)
        if text_width(text, _FACT_SIZE * factor) <= room:
            return text
        facts.pop(-2)
    return fitted("".join(facts), _FACT_SIZE * factor, room)


def _recorded(parts: tuple[str, ...], size: float, room: float) -> str:
    """As many of *parts* as fit, and how many more there are."""
    for count in range(len(parts), 0, -1):
        more = f"  +{len(parts) - count} more" if count < len(parts) else ""
        text = clean("also recorded: " + ", ".join(parts[:count])) + more
        if text_width(text, size) <= room:
            return text
    return fitted(f"also recorded: {len(parts)} metrics", size, room) if parts else ""


def _draw_rule(figure: Figure, page: Page, left: float, right: float, y: float) -> None:
    """A rule that is filled as far as the run has come, where that is known."""
    width, height = page.size
    theme, progress = page.theme, page.header.progress.share
    if progress is None:
        figure.add_artist(
            Line2D(
                [left / width, right / width],
                [y / height, y / height],
                color=theme.axis,
                linewidth=0.8,
            )
        )
        return
    for share, color in ((1.0, theme.grid), (progress, theme.palette[0])):
        figure.add_artist(
            Rectangle(
                (left / width, (y - 0.02) / height),
                share * (right - left) / width,
                0.04 / height,
                facecolor=color,
                edgecolor="none",
                transform=figure.transFigure,
            )
        )


def save_page(
    page: Page,
    path: str | Path,
    spec: "FigureSpec | None" = None,
    dpi: int | None = None,
) -> Path:
    """Draw *page* into a file; return its path.

    Args:
        page: What the file shows.
        path: The file; see `write_whole`.
        spec: How to draw it again, which the file keeps.
        dpi: Pixels an inch, where it is not the usual number.

    Raises:
        ConfigurationError: The suffix is that of no supported format.
        OSError: The file can't be written there.
    """
    target = target_path(path)
    return write_whole(target, rendered(page, target.suffix.lower(), spec, dpi))


def rendered(
    page: Page, suffix: str, spec: "FigureSpec | None" = None, dpi: int | None = None
) -> bytes:
    """The content of a file with *suffix* that shows *page*, and keeps *spec*."""
    with own_style():
        return content_of(
            new_figure(page),
            suffix,
            title=_title(page),
            background=page.theme.background,
            spec=spec,
            dpi=dpi,
        )


def _title(page: Page) -> str:
    return clean(f"{page.header.name} · {page.header.title}")
