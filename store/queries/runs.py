"""Which runs there are, and which one is meant."""

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from stepwell.store.base.errors import AmbiguousRunError, RunNotFoundError
from stepwell.store.base.ids import as_run_id
from stepwell.store.base.sql_literals import literal
from stepwell.store.inputs.text_checks import check_string
from stepwell.store.schema.stored_values import (
    BEGIN,
    stored_layout,
    stored_moment,
    stored_object,
    stored_texts,
)
from stepwell.store.schema.tables import RUN_COLUMNS
from stepwell.store.values.run_info import RunInfo
from stepwell.store.values.selection import Selection

if TYPE_CHECKING:
    from uuid import UUID

LAST = "last"
# DuckDB takes long to make its first UUID.
_COLUMNS = ("run_id::varchar" if name == "run_id" else name for name in RUN_COLUMNS)
_SELECT = f"select {', '.join(_COLUMNS)} from store.main.runs"  # noqa: S608 (fixed names)
_IDS = "select run_id::varchar from store.main.runs"
_NEWEST = "order by created_at desc nulls last, run_id desc"
_ID_PART = re.compile(r"[0-9a-fA-F-]{2,36}")


class Chosen(NamedTuple):
    """The runs of a selection, for use within a query.

    Attributes:
        sql: A query for their `run_id`, without parameters.
        is_all: Whether these are all runs that there are.
    """

    sql: str
    is_all: bool = False

    def within(self, table: str) -> str:
        """The condition that rows of a table are of these runs."""
        return "true" if self.is_all else f"{table}.run_id in ({self.sql})"


def select_runs(
    connection: duckdb.DuckDBPyConnection,
    *selections: Selection,
    location: object = "",
    limit: int | None = None,
) -> list[RunInfo]:
    """Runs that fit every selection, newest first; of those no more than *limit*.

    Raises:
        RunNotFoundError: If a reference fits no run.
        AmbiguousRunError: If a part of an id fits several.
    """
    conditions = ["true"]
    for selection in selections:
        if selection == Selection():
            continue
        chosen = choose(connection, selection, location)
        conditions.append(f"run_id in ({chosen.sql})")
    query = f"{_SELECT} where {' and '.join(conditions)} {_NEWEST}"
    if limit is not None:
        query += f" limit {int(limit)}"
    return [_info(row) for row in connection.execute(query).fetchall()]


def choose(
    connection: duckdb.DuckDBPyConnection, selection: Selection, location: object = ""
) -> Chosen:
    """A query for the runs of *selection*; its references are looked up now.

    Raises:
        RunNotFoundError: If a reference fits no run.
        AmbiguousRunError: If a part of an id fits several.
    """
    conditions = ["true"]
    if selection.runs:
        found = sorted(_resolve(connection, selection.runs, location))
        conditions.append(f"run_id in ({_unnested(found, 'UUID')})")
    conditions += [*_conditions(selection), *_configured(selection.where)]
    query = f"select run_id from store.main.runs where {' and '.join(conditions)}"  # noqa: S608
    if selection.limit is not None:
        query += f" {_NEWEST} limit {int(selection.limit)}"
    is_all = len(conditions) == 1 and selection.limit is None
    return Chosen(query, is_all)


def _unnested(texts: Iterable[str], kind: str) -> str:
    """A query for texts as values of a type, however many there are."""
    listed = literal(json.dumps(list(texts)))
    return f"select unnest(from_json({listed}, '[\"{kind}\"]'))"


def _conditions(selection: Selection) -> Iterable[str]:
    if selection.project is not None:
        yield f"project = {literal(selection.project)}"
    if selection.group is not None:
        yield f"group_name = {literal(selection.group)}"
    for tag in selection.tags:
        yield f"list_contains(tags, {literal(tag)})"
    if selection.status:
        yield f"status in ({_unnested(selection.status, 'VARCHAR')})"
    if selection.name is not None:
        from stepwell.store.values.where import like  # noqa: PLC0415 (a list of all runs needs none)

        yield rf"name like {literal(like(selection.name))} escape '\'"


def _configured(where: Iterable[str]) -> Iterable[str]:
    if where:
        from stepwell.store.values.where import condition_sql, parse_conditions  # noqa: PLC0415

        for text in where:
            yield from map(condition_sql, parse_conditions(text))


def _resolve(
    connection: duckdb.DuckDBPyConnection, references: Iterable[str], location: object
) -> set[str]:
    """Ids of the runs that *references* mean; a name means every run of that name."""
    named = {ref: as_run_id(ref) for ref in dict.fromkeys(references) if _is_text(ref)}
    query = (
        "select run_id::varchar, name from store.main.runs"  # noqa: S608
        f" where run_id in ({_unnested(named.values(), 'UUID')})"
        f" or name in ({_unnested(named, 'VARCHAR')})"
    )
    by_name: dict[str, list[str]] = {}
    ids: set[str] = set()
    for run_id, name in connection.execute(query).fetchall():
        by_name.setdefault(name, []).append(run_id)
        ids.add(run_id)
    chosen: set[str] = set()
    for reference in references:
        run_id = named.get(reference, "")
        if reference != LAST and (run_id in ids or reference in by_name):
            chosen.update(by_name.get(reference, ()), ids & {run_id})
            continue
        found = find_run(connection, reference)
        if found is None:
            raise RunNotFoundError(reference, location)
        chosen.add(found.run_id)
    return chosen


def present(
    connection: duckdb.DuckDBPyConnection, run_ids: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of *run_ids* there are, and which there are not."""
    asked = {run_id: as_run_id(run_id) for run_id in run_ids}
    query = (
        "select run_id::varchar from store.main.runs"  # noqa: S608
        f" where run_id in ({_unnested(asked.values(), 'UUID')})"
    )
    rows = connection.execute(query).fetchall()
    there = {str(run_id) for (run_id,) in rows}
    kept = tuple(run_id for run_id, uuid in asked.items() if uuid in there)
    return kept, tuple(run_id for run_id, uuid in asked.items() if uuid not in there)


def _is_text(reference: str) -> bool:
    try:
        reference.encode()
    except UnicodeEncodeError:
        return False  # no run can be called so
    return True


def find_run(
    connection: duckdb.DuckDBPyConnection, reference: "str | UUID"
) -> RunInfo | None:
    """The run that *reference* means: `last`, an id, a name, or a part of an id.

    An id is the run's UUID, or the text that `stepwell.init(id=…)` was given. A name
    stands for the newest run of that name; a part is the id's beginning or its end.

    Raises:
        AmbiguousRunError: If a part fits several ids.
    """
    if not isinstance(reference, str):
        from uuid import UUID  # noqa: PLC0415 (slow to import)

        if isinstance(reference, UUID):  # as SQL gives them
            reference = str(reference)
    check_string(reference, "a reference to a run")
    if not _is_text(reference):
        return None
    name = literal(reference)
    condition = ""
    if reference != LAST:
        condition = f"where run_id = {literal(as_run_id(reference))}::uuid or name = {name}"
    # To sort whole rows takes longer than both statements.
    query = f"{_IDS} {condition} {_NEWEST} limit 1"
    rows: list[tuple[Any, ...]] = []
    for (run_id,) in connection.execute(query).fetchall():
        query = f"{_SELECT} where run_id = {literal(run_id)}::uuid limit 1"
        rows = connection.execute(query).fetchall()
    if not rows and _ID_PART.fullmatch(reference):
        query = (
            f"{_SELECT} where starts_with(run_id::varchar, lower({name}))"
            f" or ends_with(run_id::varchar, lower({name})) {_NEWEST} limit 50"
        )
        rows = connection.execute(query).fetchall()
    if len(rows) > 1:
        found = [_info(row) for row in rows]
        raise AmbiguousRunError(
            reference, [f"{run.name} …{run.run_id[-8:]}" for run in found]
        )
    return _info(rows[0]) if rows else None


def _info(values: tuple[Any, ...]) -> RunInfo:
    row = dict(zip(RUN_COLUMNS, values, strict=True))
    for column in ("created_at", "finished_at"):
        row[column] = stored_moment(row[column])
    row["created_at"] = row["created_at"] or BEGIN
    row["tags"] = stored_texts(row["tags"])
    row["config"] = stored_object(row["config"])
    row["layout"] = stored_layout(row["layout"])
    return RunInfo(**row)
