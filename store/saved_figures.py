"""Figures that a store keeps by name."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from stepwell.store.base.errors import ConfigurationError, FigureNotFoundError
from stepwell.store.inputs.metrics import shown
from stepwell.store.inputs.text_checks import check_text
from stepwell.store.queries import runs as run_queries
from stepwell.store.schema.stored_values import BEGIN, stored_json, stored_moment
from stepwell.store.values.selection import Selection

if TYPE_CHECKING:
    from stepwell.store.values.figure_spec import FigureRuns, FigureSpec, KeptFigure

_PICTURES = (".png", ".svg", ".pdf")
_LONGEST = 200
_SELECT = "select name, spec, saved_at from figures"


class KeptFigures:
    """The part of a `Store` that keeps figures."""

    @property
    def location(self) -> Path:
        """The database file."""
        raise NotImplementedError

    def _reading(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        raise NotImplementedError

    def _writing(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        raise NotImplementedError

    def save_figure(self, name: str, spec: FigureSpec, pin: bool = False) -> KeptFigure:
        """Keep a figure by name; replaces the one that had the name before.

        Args:
            name: What to call it.
            spec: What it shows.
            pin: Whether it keeps to the runs that its selection gives now; else it
                follows new ones.

        Raises:
            ConfigurationError: If the name is unusable, or there is no run to pin.
            RunNotFoundError: If *pin* is set and a reference of the selection fits no run.
            StoreError: If the store cannot be written.
        """
        from stepwell.store.values.figure_spec import FigureSpec, KeptFigure  # noqa: PLC0415 (slow to import)

        _check_name(name)
        if not isinstance(spec, FigureSpec):
            raise ConfigurationError(f"a figure is kept as a FigureSpec, not {shown(spec)}")
        if pin:
            spec = self._pinned(spec)
        now = datetime.now(UTC)
        text = json.dumps(spec.to_json(), ensure_ascii=False)
        row = [name, spec.kind, text, now.replace(tzinfo=None)]
        with self._writing() as connection:
            connection.execute(
                "insert or replace into store.main.figures values (?, ?, ?, ?)", row
            )
        return KeptFigure(name, spec, now)

    def figures(self) -> list[KeptFigure]:
        """The kept figures, by name.

        Raises:
            ConfigurationError: If a newer Stepwell kept one that this one can't read.
        """
        with self._reading() as connection:
            return list_kept(connection)

    def figure(self, name: str) -> KeptFigure:
        """One kept figure.

        Raises:
            FigureNotFoundError: If none has that name; the message suggests the nearest.
        """
        with self._reading() as connection:
            return _find(connection, name, self.location)

    def remove_figure(self, name: str) -> None:
        """Keep a figure no longer.

        Raises:
            FigureNotFoundError: If none has that name; the message suggests the nearest.
            StoreError: If the store cannot be written.
        """
        with self._writing() as connection:
            _find(connection, name, self.location)
            connection.execute("delete from store.main.figures where name = ?", [name])

    def figure_runs(self, spec: FigureSpec) -> FigureRuns:
        """The runs that a figure shows, and those of its pinned ones that are gone.

        Raises:
            RunNotFoundError: If a reference of a selection that is followed fits no run.
        """
        from stepwell.store.values.figure_spec import FigureRuns, FigureSpec  # noqa: PLC0415 (slow to import)

        if not isinstance(spec, FigureSpec):
            raise ConfigurationError(
                f"runs are those of a FigureSpec, not of {shown(spec)}"
            )
        with self._reading() as connection:
            chosen = spec.runs
            kept, gone = run_queries.present(connection, spec.pinned or ())
            if spec.pinned is not None:
                chosen = Selection(runs=kept) if kept else Selection(limit=0)
            runs = run_queries.select_runs(connection, chosen, location=self.location)
        return FigureRuns(tuple(runs), gone)

    def _pinned(self, spec: FigureSpec) -> FigureSpec:
        with self._reading() as connection:
            runs = run_queries.select_runs(
                connection, spec.selection, location=self.location
            )
        if not runs:
            raise ConfigurationError(
                "no run fits the figure's selection, so none is pinned"
            )
        return spec.pin(tuple(run.run_id for run in runs))


def _find(connection: duckdb.DuckDBPyConnection, name: str, location: Path) -> KeptFigure:
    check_text(name, "a figure's name")
    known = _names(connection)
    if name not in known:
        raise FigureNotFoundError(name, location, known)
    return list_kept(connection, name)[0]


def _names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    try:
        rows = connection.execute("select name from figures order by name").fetchall()
    except duckdb.CatalogException:
        return []  # of an older revision, on a disk that we may not write to
    return [str(name) for (name,) in rows]


def list_kept(
    connection: duckdb.DuckDBPyConnection, name: str | None = None
) -> list[KeptFigure]:
    """The kept figures by name, or one of them; none in a store without the table."""
    from stepwell.store.values.figure_spec import KeptFigure  # noqa: PLC0415 (slow to import)

    names = _names(connection) if name is None else [name]
    query = f"{_SELECT} where name = any(?) order by name"
    rows = connection.execute(query, [names]).fetchall() if names else []
    return [
        KeptFigure(str(name), _spec(str(name), text), stored_moment(saved_at) or BEGIN)
        for name, text, saved_at in rows
    ]


def _spec(name: str, text: str) -> FigureSpec:
    from stepwell.store.values.figure_spec import FigureSpec  # noqa: PLC0415 (slow to import)

    try:
        return FigureSpec.from_json(stored_json(text))
    except ValueError as error:  # a ConfigurationError is one, too
        raise ConfigurationError(
            f"the kept figure {name!r} can't be read: {error};"
            " remove it, or update stepwell"
        ) from error


def _check_name(name: str) -> None:
    check_text(name, "a figure's name")
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST:
        raise ConfigurationError(
            f"a figure's name must be one line of 1 to {_LONGEST} letters, not"
            f" {shown(name)}"
        )
    if name.lower().endswith(_PICTURES):
        raise ConfigurationError(
            f"a figure's name must not end as a picture's does, as {shown(name)} does"
        )
