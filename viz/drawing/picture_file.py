"""A figure as a file: PNG, PDF or SVG, the same bytes for the same data."""

import contextlib
import errno
import io
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from stepwell.store import ConfigurationError, file_to_replace
from stepwell.viz.base.theme import DOTS_PER_INCH

from .picture_metadata import embedded

if TYPE_CHECKING:
    from stepwell.store import FigureSpec


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


def write_whole(path: Path, content: bytes) -> Path:
    """Write *content* into a file; return its path.

    Folders that are missing are made. The file appears whole or not at all: a reader
    never sees half of it, and a failure leaves an older file as it was.

    Raises:
        OSError: The file can't be written there.
    """
    target = file_to_replace(path)
    # Nobody can guess it, and so put a link there, in a folder that all may write to.
    passing = target.with_name(f".{target.name[:32]}.{secrets.token_hex(8)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Exclusive, so that what is there under this name is neither followed nor
        # overwritten.
        with passing.open("xb") as file:
            file.write(content)
        # In the same folder, hence on the same file system, where a rename is atomic.
        passing.replace(target)
    except FileExistsError as error:  # where a folder should be
        raise NotADirectoryError(
            errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target)
        ) from error
    except OSError as error:
        error.filename = str(target)  # the one that the caller knows
        raise
    finally:
        with contextlib.suppress(OSError):
            passing.unlink(missing_ok=True)
    return target


def content_of(  # noqa: PLR0913 (what the file is to say)
    figure: Figure,
    suffix: str,
    *,
    title: str,
    background: str,
    spec: "FigureSpec | None" = None,
    dpi: int | None = None,
) -> bytes:
    """The content of a file with *suffix* that shows a figure; to be used in `own_style`.

    Args:
        figure: What it shows.
        suffix: ".png", ".pdf" or ".svg".
        title: Its title, for those who list files.
        background: The colour behind it.
        spec: How to draw it again, which the file keeps.
        dpi: Pixels an inch, where it is not the usual number.
    """
    metadata = _METADATA[suffix] | {"Title": title}
    if spec is not None:
        metadata |= embedded(spec.to_json(), suffix)
    with io.BytesIO() as buffer:
        figure.savefig(
            buffer,
            format=suffix[1:],
            dpi=dpi or DOTS_PER_INCH,
            facecolor=background,
            metadata=metadata,
        )
        return buffer.getvalue()


# Neither dates nor versions, so that the same data make the same file.
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".svg": {"Date": None, "Creator": None},
}
