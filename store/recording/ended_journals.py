"""Journals of this process that have ended, until a fold has taken them in.

A journal that has ended is removed when it is folded whole, so a look into the folder says
which are left: no database is asked.
"""

import os
from pathlib import Path

from stepwell.store.files.location import Location

MOST = 1000
"""How many may wait before the end of a run folds them itself."""


class EndedJournals:
    """What this process has ended, and has not seen folded."""

    def __init__(self) -> None:
        self._places: dict[str, Location] = {}
        self._most = MOST

    def add(self, location: Location, path: Path) -> None:
        """Take note of a journal; in one step, so that a collector may call."""
        self._places[str(path)] = location

    def locations(self) -> set[Location]:
        """The stores that have not folded all of them."""
        # A copy, made in one step: a collector may add a journal while this loop goes on.
        known = self._places.copy()
        for path in known:
            if not os.path.lexists(path):
                self._places.pop(path, None)
        left = self._places.copy()
        self._most = min(self._most, len(left) + MOST)
        return set(left.values())

    def are_too_many(self) -> bool:
        """Whether another thousand wait, since this was last so or all were folded."""
        if len(self._places) <= self._most:
            return False
        self.locations()
        if len(self._places) <= self._most:
            return False
        self._most = len(self._places) + MOST
        return True
