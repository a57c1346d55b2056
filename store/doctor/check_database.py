"""Examining the database: can it be read, and does it agree with itself."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import duckdb

from stepwell import migrations
from stepwell.store.base.errors import (
    StoreDamagedError,
    StoreError,
    StoreLocationError,
    StoreNewerError,
)
from stepwell.store.database.attach import attached_file
from stepwell.store.database.duckdb_errors import explain
from stepwell.store.database.lease import lease_of
from stepwell.store.database.schema_upgrade import find_revision
from stepwell.store.files.location import Location
from stepwell.store.ingest.totals import disagreements
from stepwell.store.schema.contents import (
    foreign_contents,
    make_table_views,
    quoted,
    tables_in,
    views_in,
    wrong_tables,
)
from stepwell.store.schema.stored_values import stored_time
from stepwell.store.schema.tables import VIEWS
from stepwell.store.values.finding import FAULT, OK, WARNING, Finding, count_of

from .check_attempts import wrong_attempts

SKEW = timedelta(minutes=5)  # how far ahead of ours another clock may be
REPAIR = "`stepwell repair NEW` saves what can be read into a new store"


@dataclass(slots=True)
class DatabaseFacts:
    """What the database says that the journals are compared with.

    Attributes:
        findings: What was found in the database alone.
        journals: By writer: run id, folded bytes, skipped bytes, and how it ended.
        runs: By run id: name, status, and exit message.
        nameless: By run id: points of runs that the database does not know.
        foreign: What is there and not Stepwell's.
        points: How many points there are.
        is_readable: Whether those were read.
        is_current: Whether its schema is today's.
    """

    findings: list[Finding] = field(default_factory=list)
    journals: dict[str, tuple[str, int, int, str | None]] = field(default_factory=dict)
    runs: dict[str, tuple[str, str, str | None]] = field(default_factory=dict)
    nameless: dict[str, int] = field(default_factory=dict)
    foreign: tuple[str, ...] = ()
    points: int = 0
    is_readable: bool = False
    is_current: bool = False


def examine_database(location: Location, now: datetime) -> DatabaseFacts:
    """Read all of the database; the caller keeps writers away.

    Args:
        location: The store.
        now: The present time, UTC without a zone.
    """
    facts = DatabaseFacts()
    if not location.database.exists():
        facts.findings.append(
            Finding(
                "database",
                WARNING,
                f"there is no {location.database.name} yet",
                "the next command that reads makes it from the journals",
            )
        )
        return facts
    if not location.database.stat().st_size:
        text = f"{location.database.name} is empty"
        advice = "put a copy back, if it held runs; any command that reads makes it anew"
        facts.findings.append(Finding("database", FAULT, text, advice))
        return facts
    if lease_of(location).is_half_written:
        text = "a process was killed while it wrote to the directory of tables"
        advice = "any command that reads the store puts it right; then ask again"
        facts.findings.append(Finding("database", WARNING, text, advice))
        return facts
    try:
        with attached_file(location.database) as connection:
            tables = tables_in(connection)
            if _check_version(connection, tables, location, facts):
                _check_tables(connection, tables, facts, now)
    except StoreLocationError as error:
        facts.findings.append(_say_trouble(error))
    except duckdb.Error as error:
        facts.findings.append(_say_trouble(explain(error, location)))
    return facts


def _say_trouble(error: StoreError) -> Finding:
    """What a store's error says, without its advice where a repair is better advice."""
    text, _, advice = _one_line(error).rpartition("; ")
    if isinstance(error, StoreDamagedError) or not text:
        advice = REPAIR
    return Finding("database", FAULT, text or _one_line(error), advice)


def _check_version(
    connection: duckdb.DuckDBPyConnection,
    tables: dict[str, str],
    location: Location,
    facts: DatabaseFacts,
) -> bool:
    say = facts.findings.append
    try:
        revision = find_revision(connection, tables, location)
    except StoreNewerError as error:
        say(Finding("version", FAULT, _said(error), "pip install -U stepwell"))
        return False
    except StoreDamagedError as error:
        text, _, advice = _one_line(error).rpartition("; ")
        say(Finding("version", FAULT, text, advice))
        return False
    tags = connection.execute(
        "select tags from duckdb_databases() where database_name = 'store'"
    ).fetchone()
    storage = (tags[0] or {}).get("storage_version", "unknown") if tags else "unknown"
    if revision != migrations.HEAD:
        known = f"schema {revision or 'none'}, and this Stepwell writes {migrations.HEAD}"
        say(Finding("version", WARNING, known, "`stepwell upgrade`, or any write, does it"))
        return revision is not None
    text = f"schema {revision}, storage {storage}, read by DuckDB {duckdb.__version__}"
    say(Finding("version", OK, text))
    facts.is_current = True
    return True


def _check_tables(
    connection: duckdb.DuckDBPyConnection,
    tables: dict[str, str],
    facts: DatabaseFacts,
    now: datetime,
) -> None:
    say = facts.findings.append
    unreadable = []
    counts: dict[str, int] = {}
    for name in sorted(tables):
        try:
            # A hash of whole rows: every block is read, and so its checksum verified.
            query = f"select count(*), bit_xor(hash(t)) from {_full(name)} t"  # noqa: S608
            counts[name] = _row(connection, query)[0]
        except duckdb.Error as error:
            unreadable.append((name, _one_line(error)))
    if unreadable:
        names = ", ".join(name for name, _ in unreadable)
        what = "table" if len(unreadable) == 1 else "tables"
        text = f"{what} {names} cannot be read: {unreadable[0][1]}"
        say(Finding("database", FAULT, text, REPAIR))
        return
    if facts.is_current:
        facts.findings += _check_schema(connection, tables)
        if wrong_tables(tables):
            return
        facts.foreign = tuple(foreign_contents(connection))
        if facts.foreign:
            facts.findings.append(_say_foreign(facts.foreign))
    else:
        make_table_views(connection, tables)  # of an earlier revision
    _read_facts(connection, facts)
    facts.points = counts.get("points", 0)
    extent = f"{count_of(len(facts.runs), 'run')}, {count_of(facts.points, 'point')}"
    text = f"every table is readable: {extent}"
    say(Finding("database", OK, text))
    facts.findings += [_check_totals(connection, facts), *_check_clock(connection, now)]


def _check_schema(
    connection: duckdb.DuckDBPyConnection, tables: dict[str, str]
) -> list[Finding]:
    """What of the schema is not as its revision says."""
    wrong = wrong_tables(tables)
    there = views_in(connection)
    views = [f"lacks the view {name}" for name in VIEWS if name not in there]
    found = []
    if wrong or views:
        text = f"the database {', '.join(wrong + views)}"
        found.append(Finding("database", FAULT if wrong else WARNING, text, REPAIR))
    return found


def _say_foreign(foreign: tuple[str, ...]) -> Finding:
    text = f"the database has what is not Stepwell's: {', '.join(foreign)}"
    advice = "it is not used; drop it, if it is not yours either"
    return Finding("contents", WARNING, text, advice)


def _full(name: str) -> str:
    schema, _, table = name.rpartition(".")
    return f"store.{quoted(schema or 'main')}.{quoted(table)}"


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchall()[0]
    return tuple(row)


def _read_facts(connection: duckdb.DuckDBPyConnection, facts: DatabaseFacts) -> None:
    query = "select writer, run_id, folded_bytes, skipped_bytes, ended from journals_"
    for writer, run_id, folded, skipped, ended in connection.execute(query).fetchall():
        facts.journals[str(writer)] = str(run_id), int(folded), int(skipped), ended
    query = "select run_id, name, status, exit_message from runs"
    for run_id, name, status, message in connection.execute(query).fetchall():
        facts.runs[str(run_id)] = str(name), str(status), message
    query = (
        "select run_id, sum(count) from totals_ anti join runs using (run_id) group by 1"
    )
    for run_id, points in connection.execute(query).fetchall():
        facts.nameless[str(run_id)] = int(points)
    facts.is_readable = True


def _check_totals(connection: duckdb.DuckDBPyConnection, facts: DatabaseFacts) -> Finding:
    wrong = disagreements(connection)
    if not wrong:
        return _check_attempts(connection, facts)
    run_id, metric, found, said = wrong[0]
    run = facts.runs.get(run_id, (run_id,))[0]
    how = (
        f"{found:,} points, and {said:,} in its total"
        if found != said
        else f"{found:,} points of other values, steps or times than its total says"
    )
    text = (
        f"points and totals disagree for {count_of(len(wrong), 'metric')}: {metric!r} of"
        f" run {run!r} has {how}"
    )
    return Finding("totals", FAULT, text, "`stepwell repair NEW` counts them anew")


def _check_attempts(connection: duckdb.DuckDBPyConnection, facts: DatabaseFacts) -> Finding:
    is_current = any(found.check == "version" and found.is_ok for found in facts.findings)
    found = wrong_attempts(connection) if is_current else None
    if found is None:
        return Finding("totals", OK, "points agree with their totals")
    run_id, what = found
    name = facts.runs.get(run_id, (run_id,))[0]
    advice = "`stepwell repair NEW` derives it anew"
    return Finding("totals", FAULT, f"run {name!r}: {what}", advice)


def _check_clock(connection: duckdb.DuckDBPyConnection, now: datetime) -> list[Finding]:
    row = _row(
        connection,
        "select max(time), arg_max(run_id, time) from (select run_id, last_time as time"
        " from totals_ union all select run_id, created_at from runs)",
    )
    found = []
    latest = stored_time(row[0])
    if latest is not None and latest > now + SKEW:
        found.append(
            Finding(
                "clock",
                WARNING,
                f"run {str(row[1])[-8:]} has times of {latest:%Y-%m-%d %H:%M} UTC, which"
                " is in the future",
                "set the clock of the machine that wrote it, or of this one",
            )
        )
    backwards = connection.execute(
        "select name from runs where finished_at < created_at - interval 1 second"
        " order by created_at"
    ).fetchall()
    if backwards:
        found.append(
            Finding(
                "clock",
                WARNING,
                f"{count_of(len(backwards), 'run')} ended before the start, by the clock:"
                f" {backwards[0][0]!r}",
                "the clock was set back meanwhile; times of that run mean little",
            )
        )
    return found


def _said(error: StoreError) -> str:
    """What an error says, without what it says to do."""
    return _one_line(error).rpartition("; ")[0]


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
