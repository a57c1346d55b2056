"""A page as a file: PNG, PDF or SVG, the same bytes for the same data."""

import contextlib
import io
import itertools
import os
from pathlib import Path
from typing import Any

from stepwell.store import ConfigurationError

from ._drawing import DOTS_PER_INCH, new_figure
from ._page import Page
from ._style import own_style
from ._text import clean

_temporary = itertools.count()


def target_path(path: str | Path) -> Path:
    """*path* with its suffix; ".png" where it has none.

    A number after a dot, as in "lr_0.01", is no suffix.

    Raises:
        ConfigurationError: The suffix is that of no supported format.
    """
    target = Path(path).expanduser()
    suffix = target.suffix.lower()
    if suffix in _METADATA:
        return target
    if not suffix[1:] or suffix[1:].isdigit():
        return target.with_name(target.name + ".png")
    supported = ", ".join(_METADATA)
    raise ConfigurationError(
        f"can't save a plot as {target.name!r}: the suffix must be one of {supported}"
    )


def save_page(page: Page, path: str | Path) -> Path:
    """Draw *page* into a file; return its path.

    Folders that are missing are made. The file appears whole or not at all: a reader
    never sees half of it, and a failure leaves an older file as it was.

    Raises:
        ConfigurationError: The suffix is that of no supported format.
        OSError: The file can't be written there.
    """
    target = target_path(path)
    target = Path(os.path.realpath(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    content = rendered(page, target.suffix.lower())
    passing = target.with_name(
        f".{target.name[:100]}.{os.getpid()}-{next(_temporary)}.part"
    )
    try:
        passing.write_bytes(content)
        passing.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            passing.unlink(missing_ok=True)
        raise
    return target


def rendered(page: Page, suffix: str) -> bytes:
    """The content of a file with *suffix* that shows *page*."""
    with own_style(), io.BytesIO() as buffer:
        new_figure(page).savefig(
            buffer,
            format=suffix[1:],
            dpi=DOTS_PER_INCH,
            facecolor=page.theme.background,
            metadata=_METADATA[suffix] | {"Title": _title(page)},
        )
        return buffer.getvalue()


def _title(page: Page) -> str:
    return clean(f"{page.header.name} · {page.header.title}")


# Neither dates nor versions, so that the same data make the same file.
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".svg": {"Date": None, "Creator": None},
}
