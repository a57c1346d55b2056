"""Matplotlib's settings while a figure of ours is made, whatever the user has set."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

from ._text import families

# matplotlib's settings belong to the whole process, so two of our figures made at once
# take turns.
_turn = threading.RLock()
_OWN: dict[str, Any] = {
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
    "font.size": 9.0,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "savefig.dpi": "figure",
    "svg.fonttype": "path",
    "svg.hashsalt": "stepwell",
    "text.parse_math": False,
    "text.usetex": False,
}
# The backend is the user's choice, and reading it would start one. The date of the
# epoch and the toolbar mean nothing to a figure without dates and windows.
_LEFT_ALONE = frozenset({"backend", "backend_fallback", "interactive", "toolbar"})


@contextmanager
def own_style() -> Iterator[None]:
    """Matplotlib's defaults and our few changes, for the time of the block.

    Every setting is as the user had it when the block ends.
    """
    with _turn, mpl.rc_context():
        wanted = {
            name: value
            for name, value in dict.items(mpl.rcParamsDefault)
            if name not in _LEFT_ALONE
        } | _OWN
        wanted["font.family"] = list(families())
        current = dict(dict.items(mpl.rcParams))
        changes: dict[Any, Any] = {
            name: value
            for name, value in wanted.items()
            if name in current and repr(current[name]) != repr(value)
        }
        mpl.rcParams.update(changes)
        yield
