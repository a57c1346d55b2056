"""The questions of a store that are about many runs."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb

from . import _query_runs
from ._condition import as_texts
from ._selection import Runs, Selection, as_selection
from ._values import RunInfo


class ManyRuns:
    """The part of a `Store` that chooses, ranks and compares runs."""

    @property
    def location(self) -> Path:
        """The database file."""
        raise NotImplementedError

    def _reading(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        raise NotImplementedError

    def runs(  # noqa: PLR0913 (a condition an argument)
        self,
        runs: Runs = None,
        *,
        project: str | None = None,
        group: str | None = None,
        tag: str | Sequence[str] | None = None,
        status: str | Sequence[str] | None = None,
        name: str | None = None,
        where: str | Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[RunInfo]:
        """The runs that fit every given condition, newest first.

        Args:
            runs: A `Selection`, or references to runs, within which the rest chooses.
            project: The project's name.
            group: The group's name.
            tag: A label, or several, all of which a run must have.
            status: One status, or several, of which a run must have one.
            name: A pattern for the name, with `*` and `?`.
            where: Conditions on the configuration, such as `lr < 0.01`.
            limit: Only the newest runs, so many.

        Raises:
            ConfigurationError: If a condition cannot be read.
            RunNotFoundError: If a reference fits no run.
        """
        chosen = Selection(
            project=project,
            group=group,
            tags=as_texts(tag, "tag"),
            status=as_texts(status, "status"),
            name=name,
            where=as_texts(where, "where"),
            limit=limit,
        )
        with self._reading() as connection:
            return _query_runs.select_runs(
                connection, as_selection(runs), chosen, location=self.location
            )
