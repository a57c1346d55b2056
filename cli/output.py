"""Printing: everything that a command says goes through here.

A store's texts may be anybody's, names of files too. What would move the cursor, colour,
hide or reorder letters, or begin a line is shown as an escape; see `visible`.
"""

import codecs
import json
import math
import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

import click

from stepwell.store import visible

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.text import Text

Cell = tuple[str, dict[str, str | bool]]
"""A text, and how it looks: arguments of `click.style`."""

_RAW = re.compile(r"[^\n\x20-\x7e]+")


def say(line: object = "", *, err: bool = False) -> None:
    """Print one line."""
    click.echo(visible(str(line)), err=err)


def say_styled(cells: Iterable[Cell], *, color: bool | None) -> None:
    """Print one line of texts with looks; *color* as of `click.echo`."""
    parts = []
    for text, look in cells:
        shown = visible(text)
        parts.append(click.style(shown, **look) if look else shown)  # type: ignore[arg-type]
    click.echo("".join(parts).rstrip(), color=color)


def echo_lines(lines: Iterable[str]) -> None:
    """Print many lines at once."""
    click.echo("\n".join(map(visible, lines)))


def echo_exact(content: bytes) -> None:
    """Print bytes as they are, for programs that read them."""
    click.echo(content, nl=False)


def echo_json(value: Any) -> None:
    """Print JSON; what it has no form for (NaN, dates, ids) becomes text."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    is_short = codecs.lookup(encoding).name != "utf-8"  # of letters, which JSON can escape
    # Letters as they are where the output can hold them, for people who read it.
    printed = json.dumps(_plain(value), ensure_ascii=is_short, indent=2)
    click.echo(_RAW.sub(_escaped, printed))


def new_console() -> "Console":
    """Where tables go; as wide as they need to be when nobody watches."""
    from rich.console import Console  # noqa: PLC0415

    shown = Console(highlight=False, emoji=False)
    if not shown.is_terminal and "COLUMNS" not in os.environ:
        # Behind a pipe Rich assumes 80 columns and would cut what a program is to read.
        shown = Console(highlight=False, emoji=False, width=200)
    shown.on_broken_pipe = _raise_again  # type: ignore[method-assign]
    shown.push_render_hook(_Visible())  # type: ignore[arg-type]
    return shown


def _raise_again() -> NoReturn:
    """Leave a closed pipe to `usable_streams`; Rich ends the program with exit code 1."""
    raise  # noqa: PLE0704 (what is caught where this is called)


def rich_text(content: str, style: str = "", *, has_lines: bool = False) -> "Text":
    """A text for a table or a line of Rich's.

    Args:
        content: What it says.
        style: How it looks.
        has_lines: Whether it is to have lines, where it has any.
    """
    from rich.text import Text  # noqa: PLC0415

    lines = content.split("\n") if has_lines else [content]
    return Text("\n".join(map(visible, lines)), style)


def assemble(*parts: str | tuple[str, str]) -> "Text":
    """A text of parts, each with or without a style."""
    from rich.text import Text  # noqa: PLC0415

    pairs = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((visible(content), style) for content, style in pairs))


class _Visible:
    """Lets nothing through to a console that is not visible, whoever made it."""

    def process_renderables(
        self, renderables: "Sequence[RenderableType]"
    ) -> "list[RenderableType]":
        """Wrap what is to be printed; see `rich.console.RenderHook`."""
        return [_VisibleOnly(renderable) for renderable in renderables]


class _VisibleOnly:
    def __init__(self, renderable: "RenderableType") -> None:
        self._renderable = renderable

    def __rich_console__(
        self, console: "Console", options: "ConsoleOptions"
    ) -> "RenderResult":
        from rich.segment import Segment  # noqa: PLC0415

        for segment in console.render(self._renderable, options):
            shown = "\n".join(map(visible, segment.text.split("\n")))
            yield segment if segment.control else Segment(shown, segment.style)


def _escaped(found: re.Match[str]) -> str:
    shown = found[0]
    return shown if visible(shown) == shown else "".join(map(_as_json, shown))


def _as_json(letter: str) -> str:
    if visible(letter) == letter:
        return letter
    return json.dumps(letter)[1:-1] if letter > "\x7f" else "\\u007f"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)
