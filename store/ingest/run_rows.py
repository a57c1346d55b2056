"""Rows of the table `runs` as a fold changes them."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from stepwell.store.inputs.run_config import flatten
from stepwell.store.journal.format import Header
from stepwell.store.schema.small_rows import delete_rows, insert_rows, update_rows
from stepwell.store.schema.stored_values import (
    stored_layout,
    stored_object,
    stored_texts,
    stored_time,
)
from stepwell.store.schema.tables import RUN_COLUMNS

_STARTED = (
    "name project group_name tags notes host pid user_name command working_dir"
    " python_version layout"
).split()
ATTEMPT_MAX = 2**15 - 1
"""The greatest number of an attempt that a row of `runs` has room for."""

_CHANGEABLE = {"name", "tags", "notes", "git_commit", "git_dirty", "layout"}


class RunRows:
    """The rows that one fold touches; read when asked for, written back once each.

    Args:
        connection: The store, within an exclusive lease and a transaction.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._rows: dict[str, dict[str, Any]] = {}
        self._stored: dict[str, dict[str, Any]] = {}
        self._changed: set[str] = set()
        self._new_config: set[str] = set()
        self._standing: dict[str, int] = {}

    def load(self, run_ids: Iterable[str]) -> None:
        """Read rows in one query."""
        wanted = sorted(set(run_ids) - set(self._rows))
        if wanted:
            found = read_rows(self._connection, wanted)
            self._rows |= found
            self._stored |= {run_id: dict(row) for run_id, row in found.items()}

    def get(self, header: Header) -> dict[str, Any]:
        """The row of a writer's run; made from the header when there is none."""
        row = self._rows.get(header.run_id)
        if row is None:
            nothing: dict[str, Any] = dict.fromkeys(RUN_COLUMNS)
            row = nothing | {
                "run_id": header.run_id,
                "name": header.name,
                "project": header.project,
                "status": "running",
                "config": {},
                "tags": [],
                "host": header.host or None,  # where nothing is recorded of a process
                "pid": header.pid if header.host else None,
                "attempt": header.number,
                "lost_calls": 0,
            }
            self._rows[header.run_id] = row
            self._changed.add(header.run_id)
            self._new_config.add(header.run_id)
        return row

    def attempt(self, run_id: str) -> int:
        """The number of a run's last attempt; 0 for one that is not there."""
        row = self._rows.get(run_id)
        return int(row["attempt"]) if row else 0

    def stand(self, run_id: str, number: int) -> None:
        """Say by which attempt a run stands as its row says; else by the last one."""
        self._standing[run_id] = number

    def number_attempts(self, run_id: str, last: int) -> None:
        """Set the number of a run's last attempt."""
        row = self._rows[run_id]
        if row["attempt"] != (number := min(last, ATTEMPT_MAX)):
            row["attempt"] = number
            self._changed.add(run_id)

    def put(self, row: dict[str, Any]) -> None:
        """Take a whole row, as it is in another store."""
        run_id = str(row["run_id"])
        self._rows[run_id] = row
        self._changed.add(run_id)
        self._new_config.add(run_id)

    def start(
        self, header: Header, started: dict[str, Any], *, goes_on_elsewhere: bool = False
    ) -> None:
        """Apply a run's start, or its next attempt.

        Args:
            header: Who writes.
            started: What it says of the run.
            goes_on_elsewhere: Whether another file says how this attempt stands, and may
                have been folded before.
        """
        row = self.get(header)
        # The journal of an earlier attempt may come later, as from a node that was cut off:
        # it must not set the run back.
        if header.number < self._stands_by(header.run_id):
            return
        for column in _STARTED:
            value = started.get(column)
            if value is not None and not (column == "tags" and not value):
                row[column] = value
        # Joined, so that an attempt that gives fewer settings forgets none of the others.
        row["config"] = {**(row["config"] or {}), **started.get("config", {})}
        row["created_at"] = row["created_at"] or from_nanoseconds(started["time"])
        if not (goes_on_elsewhere and row["attempt"] == header.number):
            row |= {"status": "running", "finished_at": None, "exit_message": None}
        self._standing[header.run_id] = header.number
        self._changed.add(header.run_id)
        self._new_config.add(header.run_id)

    def change(self, header: Header, fields: dict[str, Any]) -> None:
        """Apply changed fields."""
        row = self.get(header)
        for column in _CHANGEABLE & fields.keys():
            row[column] = fields[column]
        if "config" in fields:
            row["config"] = {**(row["config"] or {}), **fields["config"]}
            self._new_config.add(header.run_id)
        if "lost_calls" in fields:
            # Writers say what they lost since they said so last; the sum over all records
            # is the run's.
            row["lost_calls"] += int(fields["lost_calls"])
        self._changed.add(header.run_id)

    def end(
        self, header: Header, status: str, message: str | None, time: datetime | None
    ) -> None:
        """Set how the run stands, by its primary writer of the latest attempt."""
        self.get(header)
        if header.primary and header.number >= self._stands_by(header.run_id):
            self.stand_as(header.run_id, status, message, time)

    def end_of(self, run_id: str) -> tuple[str, str | None, datetime | None]:
        """How a run stands: status, message, and the time of its end."""
        row = self._rows[run_id]
        return row["status"], row["exit_message"], row["finished_at"]

    def stand_as(
        self, run_id: str, status: str, message: str | None, time: datetime | None
    ) -> None:
        """Set how a run stands, whoever says it."""
        row = self._rows[run_id]
        begun = row["created_at"]
        if time is not None and begun is not None:
            time = max(time, begun)  # a file system has a coarse clock of its own
        if self.end_of(run_id) != (status, message, time):
            row |= {"status": status, "exit_message": message, "finished_at": time}
            self._changed.add(run_id)

    def is_new(self, run_id: str) -> bool:
        """Whether the store has no such run yet."""
        return run_id not in self._stored

    def write(self) -> None:
        """Write each changed row, once."""
        changed = sorted(self._changed)
        new = [run_id for run_id in changed if self.is_new(run_id)]
        insert_rows(self._connection, "runs", (_stored(self._rows[one]) for one in new))
        self._update([run_id for run_id in changed if not self.is_new(run_id)])
        self._write_params(sorted(self._new_config), new)
        self._stored |= {run_id: dict(self._rows[run_id]) for run_id in changed}
        self._changed.clear()
        self._new_config.clear()

    def _update(self, run_ids: list[str]) -> None:
        changes = []
        for run_id in run_ids:
            row, known = self._rows[run_id], self._stored[run_id]
            names = [name for name in RUN_COLUMNS[1:] if row[name] != known[name]]
            if names:
                written = _stored(row)
                changes.append({name: written[name] for name in ("run_id", *names)})
        update_rows(self._connection, "runs", "run_id", changes)

    def _stands_by(self, run_id: str) -> int:
        known = self._standing.get(run_id)
        return self.attempt(run_id) if known is None else known

    def _write_params(self, run_ids: list[str], new: Iterable[str]) -> None:
        old = sorted({*run_ids}.difference(new))
        delete_rows(self._connection, "params_", "run_id", old)
        rows = (
            {"run_id": run_id, "key": key, "text": _text(value), "number": _number(value)}
            for run_id in run_ids
            for key, value in flatten(self._rows[run_id]["config"] or {}).items()
        )
        insert_rows(self._connection, "params_", rows)


def read_rows(
    connection: duckdb.DuckDBPyConnection,
    run_ids: list[str] | None = None,
    database: str = "store",
) -> dict[str, dict[str, Any]]:
    """Rows of the table `runs` of an attached store, by id; all of them without ids."""
    listed = ", ".join(RUN_COLUMNS)
    query = f"select {listed} from {database}.main.runs"  # noqa: S608
    given: list[Any] = []
    if run_ids is not None:
        # Without a join, one of them takes half the time.
        is_one = len(run_ids) == 1
        query += " where run_id " + (
            "= ?" if is_one else "in (select unnest(from_json(?, '[\"UUID\"]')))"
        )
        given = run_ids if is_one else [json.dumps(run_ids)]
    rows = {}
    for values in connection.execute(query, given).fetchall():
        row: dict[str, Any] = dict(zip(RUN_COLUMNS, values, strict=True))
        row["config"] = stored_object(row["config"]) if row["config"] else None
        row["layout"] = stored_layout(row["layout"])
        row["tags"] = row["tags"] and [*stored_texts(row["tags"])]
        for column in ("created_at", "finished_at"):
            row[column] = stored_time(row[column])
        rows[str(row["run_id"])] = row
    return rows


def from_nanoseconds(nanoseconds: int) -> datetime:
    """A time of the journal as the tables keep it: UTC, without a zone.

    It is cut to microseconds as the points' times are: no point is before its run.
    """
    begin = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
    return begin + timedelta(microseconds=to_microseconds(nanoseconds))


def to_microseconds(nanoseconds: int) -> int:
    """A time in microseconds, from 1677 to 2262 as far as points have one.

    One beyond 64 bits, as of a file whose clock was wrong, is the nearest that has a form.
    """
    return min(max(nanoseconds, -(2**63)), 2**63 - 1) // 1000


def _stored(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the table keeps it."""
    written = {column: row[column] for column in RUN_COLUMNS}
    for column in ("config", "layout"):
        if written[column] is not None:
            written[column] = json.dumps(written[column])
    return written


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _number(value: Any) -> float | None:
    if isinstance(value, (bool, int, float)):
        try:
            return float(value)
        except OverflowError:
            return None
    if isinstance(value, str):
        # Numbers that JSON has no form for come as text: nan, inf, and the like of 1e-3.
        try:
            return float(value)
        except ValueError:
            return None
    return None
