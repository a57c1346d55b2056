"""Which runs there are, and which one is meant."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import duckdb

from ._errors import AmbiguousRunError, ConfigurationError
from ._identity import as_run_id
from ._run_rows import COLUMNS
from ._values import RunInfo

LAST = "last"
_SELECT = f"select {', '.join(COLUMNS)} from runs"  # noqa: S608 (fixed names)
_NEWEST = "order by created_at desc nulls last, run_id desc"
_ID_PART = re.compile(r"[0-9a-fA-F-]{2,36}")


def select_runs(  # noqa: PLR0913 (a condition an argument)
    connection: duckdb.DuckDBPyConnection,
    *,
    project: str | None = None,
    group: str | None = None,
    tag: str | None = None,
    status: str | None = None,
    limit: int | None = None,
) -> list[RunInfo]:
    """Runs that fit every given condition, newest first."""
    conditions, parameters = ["true"], []
    for condition, value in (
        ("project = ?", project),
        ("group_name = ?", group),
        ("list_contains(tags, ?)", tag),
        ("status = ?", status),
    ):
        if value is not None:
            conditions.append(condition)
            parameters.append(value)
    query = f"{_SELECT} where {' and '.join(conditions)} {_NEWEST}"
    if limit is not None and limit < 0:
        raise ConfigurationError(f"limit must be 0 or more, not {limit}")
    if limit is not None:
        query += f" limit {int(limit)}"
    return [_info(row) for row in connection.execute(query, parameters).fetchall()]


def find_run(connection: duckdb.DuckDBPyConnection, reference: str) -> RunInfo | None:
    """The run that *reference* means: `last`, an id, a name, or a part of an id.

    An id is the run's UUID, or the text that `stepwell.init(id=…)` was given. A name
    stands for the newest run of that name; a part is the id's beginning or its end.

    Raises:
        AmbiguousRunError: If a part fits several ids.
    """
    try:
        reference.encode()
    except UnicodeEncodeError:
        return None  # no run can be called so
    if reference == LAST:
        rows = connection.execute(f"{_SELECT} {_NEWEST} limit 1").fetchall()
    else:
        query = f"{_SELECT} where run_id = ?::uuid or name = ? {_NEWEST} limit 1"
        rows = connection.execute(query, [as_run_id(reference), reference]).fetchall()
    if not rows and _ID_PART.fullmatch(reference):
        query = (
            f"{_SELECT} where starts_with(run_id::varchar, lower(?))"
            f" or ends_with(run_id::varchar, lower(?)) {_NEWEST} limit 50"
        )
        rows = connection.execute(query, [reference, reference]).fetchall()
    if len(rows) > 1:
        found = [_info(row) for row in rows]
        raise AmbiguousRunError(
            reference, [f"{run.name} …{run.run_id[-8:]}" for run in found]
        )
    return _info(rows[0]) if rows else None


def _info(values: tuple[Any, ...]) -> RunInfo:
    row = dict(zip(COLUMNS, values, strict=True))
    for column in ("created_at", "finished_at"):
        moment = row[column]
        row[column] = moment.replace(tzinfo=UTC) if moment is not None else None
    row["created_at"] = row["created_at"] or datetime.fromtimestamp(0, UTC)
    row["run_id"] = str(row["run_id"])
    row["tags"] = tuple(row["tags"] or ())
    row["config"] = json.loads(row["config"]) if row["config"] else {}
    row["layout"] = json.loads(row["layout"]) if row["layout"] else None
    return RunInfo(**row)
