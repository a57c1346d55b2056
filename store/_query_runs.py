"""Which runs there are, and which one is meant."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import duckdb

from ._errors import AmbiguousRunError, RunNotFoundError
from ._identity import as_run_id
from ._literal import literal
from ._run_rows import COLUMNS
from ._run_values import RunInfo
from ._selection import Selection
from ._stored_values import BEGIN, stored_layout, stored_moment, stored_object, stored_texts
from ._texts import check_string

LAST = "last"
_SELECT = f"select {', '.join(COLUMNS)} from runs"  # noqa: S608 (fixed names)
_NEWEST = "order by created_at desc nulls last, run_id desc"
_ID_PART = re.compile(r"[0-9a-fA-F-]{2,36}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The runs of a selection, for use within a query.

    Attributes:
        sql: A query for their `run_id`.
        parameters: Its parameters.
        is_all: Whether these are all runs that there are.
    """

    sql: str
    parameters: list[Any]
    is_all: bool = False


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
    conditions, parameters = ["true"], []
    for selection in selections:
        if selection == Selection():
            continue
        chosen = choose(connection, selection, location)
        conditions.append(f"run_id in ({chosen.sql})")
        parameters += chosen.parameters
    query = f"{_SELECT} where {' and '.join(conditions)} {_NEWEST}"
    if limit is not None:
        query += f" limit {int(limit)}"
    return [_info(row) for row in connection.execute(query, parameters).fetchall()]


def choose(
    connection: duckdb.DuckDBPyConnection, selection: Selection, location: object = ""
) -> Chosen:
    """A query for the runs of *selection*; its references are looked up now.

    Raises:
        RunNotFoundError: If a reference fits no run.
        AmbiguousRunError: If a part of an id fits several.
    """
    conditions: list[str] = ["true"]
    parameters: list[Any] = []
    if selection.runs:
        found = sorted(_resolve(connection, selection.runs, location))
        conditions.append("run_id in (select unnest(from_json(?, '[\"UUID\"]')))")
        parameters.append(json.dumps(found))
    for condition, value in _conditions(selection):
        conditions.append(condition)
        parameters.append(value)
    for condition, values in _configured(selection.where):
        conditions.append(condition)
        parameters += values
    query = f"select run_id from runs where {' and '.join(conditions)}"  # noqa: S608
    if selection.limit is not None:
        query += f" {_NEWEST} limit {int(selection.limit)}"
    is_all = len(conditions) == 1 and selection.limit is None
    return Chosen(query, parameters, is_all)


def _conditions(selection: Selection) -> Iterable[tuple[str, Any]]:
    if selection.project is not None:
        yield "project = ?", selection.project
    if selection.group is not None:
        yield "group_name = ?", selection.group
    for tag in selection.tags:
        yield "list_contains(tags, ?)", tag
    if selection.status:
        statuses = json.dumps(selection.status)
        yield "status in (select unnest(from_json(?, '[\"VARCHAR\"]')))", statuses
    if selection.name is not None:
        from ._condition import like  # noqa: PLC0415 (a list of all runs needs none)

        yield r"name like ? escape '\'", like(selection.name)


def _configured(where: Iterable[str]) -> Iterable[tuple[str, list[str | float]]]:
    if where:
        from ._condition import condition_sql, parse_conditions  # noqa: PLC0415

        for text in where:
            yield from map(condition_sql, parse_conditions(text))


def _resolve(
    connection: duckdb.DuckDBPyConnection, references: Iterable[str], location: object
) -> set[str]:
    """Ids of the runs that *references* mean; a name means every run of that name."""
    named = {ref: as_run_id(ref) for ref in dict.fromkeys(references) if _is_text(ref)}
    query = (
        "select run_id::varchar, name from runs"
        " where run_id in (select unnest(from_json(?, '[\"UUID\"]')))"
        " or name in (select unnest(from_json(?, '[\"VARCHAR\"]')))"
    )
    texts = [json.dumps(list(named.values())), json.dumps(list(named))]
    by_name: dict[str, list[str]] = {}
    ids: set[str] = set()
    for run_id, name in connection.execute(query, texts).fetchall():
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
        "select run_id::varchar from runs"
        " where run_id in (select unnest(from_json(?, '[\"UUID\"]')))"
    )
    rows = connection.execute(query, [json.dumps(list(asked.values()))]).fetchall()
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
    connection: duckdb.DuckDBPyConnection, reference: str | UUID
) -> RunInfo | None:
    """The run that *reference* means: `last`, an id, a name, or a part of an id.

    An id is the run's UUID, or the text that `stepwell.init(id=…)` was given. A name
    stands for the newest run of that name; a part is the id's beginning or its end.

    Raises:
        AmbiguousRunError: If a part fits several ids.
    """
    if isinstance(reference, UUID):  # as SQL gives them
        reference = str(reference)
    check_string(reference, "a reference to a run")
    if not _is_text(reference):
        return None
    name = literal(reference)
    if reference == LAST:
        rows = connection.execute(f"{_SELECT} {_NEWEST} limit 1").fetchall()
    else:
        run_id = literal(as_run_id(reference))
        query = (
            f"{_SELECT} where run_id = {run_id}::uuid or name = {name} {_NEWEST} limit 1"
        )
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
    row = dict(zip(COLUMNS, values, strict=True))
    for column in ("created_at", "finished_at"):
        row[column] = stored_moment(row[column])
    row["created_at"] = row["created_at"] or BEGIN
    row["run_id"] = str(row["run_id"])
    row["tags"] = stored_texts(row["tags"])
    row["config"] = stored_object(row["config"])
    row["layout"] = stored_layout(row["layout"])
    return RunInfo(**row)
