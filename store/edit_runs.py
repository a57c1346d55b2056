"""What can be done with runs that are there: label, name, remove, export."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from stepwell.store.base.errors import ConfigurationError, RunNotFoundError
from stepwell.store.database.attach import reaching
from stepwell.store.database.lease import Lease
from stepwell.store.inputs.arguments import as_path
from stepwell.store.inputs.text_checks import as_texts, check_line, check_text
from stepwell.store.queries import runs as run_queries
from stepwell.store.values.run_info import RunInfo
from stepwell.store.values.selection import Runs, as_selection

if TYPE_CHECKING:
    from stepwell.store.maintenance.export import ExportedRuns
    from stepwell.store.maintenance.remove_runs import RemovedRuns


class PastRuns:
    """The part of a `Store` that changes, removes and exports runs."""

    @property
    def location(self) -> Path:
        """The database file."""
        raise NotImplementedError

    @property
    def _lease(self) -> Lease:
        raise NotImplementedError

    def _reading(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        raise NotImplementedError

    def _writing(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        raise NotImplementedError

    def run(self, reference: str) -> RunInfo:
        """One run; see `Store.run`."""
        raise NotImplementedError

    def tag(
        self, run: RunInfo | str, tags: str | Sequence[str], *, remove: bool = False
    ) -> RunInfo:
        """Give a run labels, or take them away; what is so already stays so.

        A run that goes on may set its own again.

        Args:
            run: The run, or a reference to it.
            tags: A label, or several.
            remove: Whether to take them away.

        Returns:
            The run as it is now.

        Raises:
            RunNotFoundError: If no run fits.
            ConfigurationError: If a label is no text, or is empty.
            StoreError: If the store cannot be written.
        """
        labels = as_texts(tags, "tag")
        if not labels or not all(labels):
            raise ConfigurationError("a tag is empty; give a text")
        info = self._known(run)
        with self._writing() as connection:
            row = connection.execute(
                "select tags from runs where run_id = ?::uuid", [info.run_id]
            ).fetchone()
            old = list(row[0] or []) if row else []
            new = (
                [label for label in old if label not in labels]
                if remove
                else list(dict.fromkeys([*old, *labels]))
            )
            self._set(connection, info, "tags", new)
        return self.run(info.run_id)

    def note(self, run: RunInfo | str, text: str) -> RunInfo:
        """Set a run's notes; an empty text takes them away.

        Returns:
            The run as it is now.

        Raises:
            RunNotFoundError: If no run fits.
            ConfigurationError: If *text* is no text.
            StoreError: If the store cannot be written.
        """
        check_text(text, "notes")
        info = self._known(run)
        with self._writing() as connection:
            self._set(connection, info, "notes", text or None)
        return self.run(info.run_id)

    def rename(self, run: RunInfo | str, name: str) -> RunInfo:
        """Give a run another name; its id stays.

        Returns:
            The run as it is now.

        Raises:
            RunNotFoundError: If no run fits.
            ConfigurationError: If *name* is no text, is empty, or has line breaks or
                other control characters.
            StoreError: If the store cannot be written.
        """
        check_line(name, "name")
        if not name.strip():
            raise ConfigurationError("name is empty; give a text")
        info = self._known(run)
        with self._writing() as connection:
            self._set(connection, info, "name", name)
        return self.run(info.run_id)

    def remove_runs(self, runs: Runs, *, dry_run: bool = False) -> RemovedRuns:
        """Remove runs for good: their rows, their points, and what is left of journals.

        All go in one transaction, or none. The file keeps its size; the room is used again.

        Args:
            runs: Which runs; `Selection()` for all of them.
            dry_run: Whether only to say what would be removed.

        Raises:
            RunNotFoundError: If a reference fits no run.
            RunGoesOnError: If a run still goes on; then none is removed.
            ConfigurationError: If *runs* is None.
            StoreError: If the store cannot be written.
        """
        from stepwell.store.maintenance.remove_runs import (  # noqa: PLC0415 (only this question needs it)
            delete_damaged,
            delete_runs,
            survey,
        )

        if runs is None:
            raise ConfigurationError("say which runs to remove; Selection() means all")
        selection = as_selection(runs)
        with self._reading() as connection:
            chosen = run_queries.select_runs(connection, selection, location=self.location)
            found = survey(connection, self._lease, chosen)
        if dry_run or not found.runs:
            return found
        with self._writing() as connection:
            # Counted again: another process may have been here in between.
            found = survey(connection, self._lease, found.runs)
            delete_runs(connection, self._lease, found.runs)
        # After the commit: no run comes back by a file that is never folded, and a removal
        # that fails has taken nothing away.
        delete_damaged(self._lease, found.runs)
        return found

    def export(
        self,
        folder: Path | str,
        form: str = "parquet",
        *,
        runs: Runs = None,
        force: bool = False,
    ) -> ExportedRuns:
        """Write runs and their points as two files, `runs` and `points`, exactly.

        They have the columns of the tables of those names; in CSV the tags are a JSON list.

        Args:
            folder: Where to; it is made when it is not there.
            form: `csv` or `parquet`.
            runs: Which runs; all of them when absent.
            force: Whether files of an earlier export may be replaced.

        Raises:
            StoreLocationError: If a file is there already, or cannot be written.
            RunNotFoundError: If a reference fits no run.
            ConfigurationError: If there is no such format.
        """
        from stepwell.store.maintenance.export import (  # noqa: PLC0415 (only this question needs it)
            check_format,
            make_folder,
            require_free,
            write_tables,
        )

        check_format(form)
        where = as_path(folder, "folder")
        files = (where / f"runs.{form}", where / f"points.{form}")
        require_free(files, self.location, force=force)
        selection = as_selection(runs)
        with self._reading() as connection:  # before anything is made
            run_queries.choose(connection, selection, self.location)
        folders = map(make_folder, files)
        with reaching(self._lease, *folders), self._reading() as connection:
            chosen = run_queries.choose(connection, selection, self.location)
            return write_tables(connection, chosen, files, form)

    def _known(self, run: RunInfo | str) -> RunInfo:
        return self.run(run.run_id if isinstance(run, RunInfo) else run)

    def _set(
        self, connection: duckdb.DuckDBPyConnection, run: RunInfo, column: str, value: Any
    ) -> None:
        update = (
            f"update store.main.runs set {column} = ? where run_id = ?::uuid"  # noqa: S608
            " returning run_id"
        )
        # Another process may have removed the run since it was looked up.
        if not connection.execute(update, [value, run.run_id]).fetchall():
            raise RunNotFoundError(run.run_id, self.location)
