"""Matplotlib's settings while a figure of ours is made, whatever the user has set."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

from .text import families

# matplotlib's settings belong to the whole process, so two of our figures made at once
# take turns.
_turn = threading.RLock()
_depth: list[bool] = []  # empty outside of every block
_known: dict[str, Any] = {}  # the user's settings at the last look, and our changes
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

    Every setting is as the user had it when the outermost block ends.
    """
    with _turn:
        if _depth:  # only a block of this thread's can be around this one
            yield
            return
        with mpl.rc_context():
            # `dict.items`, since the mapping's own resolves an automatic backend: a toolkit
            # would be imported and chosen for the user.
            current = dict(dict.items(mpl.rcParams))
            # Each assignment to a setting is validated, which took much of a frame; so only
            # those that differ are set, and are worked out when the user has changed
            # something.
            if _known.get("user") != current:
                _known.update(user=current, changes=_changes(current))
            mpl.rcParams.update(_known["changes"])
            _depth.append(True)
            try:
                yield
            finally:
                _depth.clear()


def _changes(current: dict[Any, Any]) -> dict[Any, Any]:
    """What must be set where *current* is set."""
    wanted = {
        name: value
        for name, value in dict.items(mpl.rcParamsDefault)
        if name not in _LEFT_ALONE
    } | _OWN
    wanted["font.family"] = list(families())
    return {
        name: value
        for name, value in wanted.items()
        # By their texts: some values, such as cyclers and arrays, have no equality of use.
        if name in current and repr(current[name]) != repr(value)
    }
