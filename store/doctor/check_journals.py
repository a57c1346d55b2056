"""Examining the journals, and what else lies beside the database."""

import time
from pathlib import Path

from stepwell.store.base.errors import StoreLocationError, StoreNewerError
from stepwell.store.files.hidden_folder import (
    COMPACT,
    COPY,
    FILE,
    NEW,
    RESCUE,
    folders_left_in,
    left_folders,
)
from stepwell.store.files.location import Location
from stepwell.store.files.owners import list_others
from stepwell.store.journal.damage_scan import JournalScan, scan_journal
from stepwell.store.journal.files import (
    JournalFile,
    list_journals,
    list_set_aside,
    short_name,
)
from stepwell.store.journal.writer_alive import FRESH_SECONDS, is_alive
from stepwell.store.values.finding import FAULT, OK, WARNING, Finding, count_of

from .check_database import REPAIR, DatabaseFacts
from .check_ingest import examine_fold
from .processes import lock_holders

_BACK_SECONDS = 1.0  # clocks are adjusted by less than that all the time
_AHEAD_SECONDS = 300.0


def examine_journals(location: Location, facts: DatabaseFacts, now: float) -> list[Finding]:
    """Scan every journal, and compare it with what the database knows of it.

    Args:
        location: The store; its writers may live, its folds are kept away by the caller.
        facts: What the database says.
        now: Seconds since 1970.
    """
    try:
        journals = list_journals(location.journals)
    except StoreLocationError as error:
        text, _, advice = str(error).rpartition("; ")
        return [Finding("journals", FAULT, text, advice)]
    found: list[Finding] = []
    seen = 0
    for journal in journals:
        try:
            scan = scan_journal(journal.path)
        except FileNotFoundError:
            continue  # folded and removed just now
        except (OSError, StoreNewerError) as error:
            why = getattr(error, "strerror", None) or error
            text = f"{short_name(journal.path)} cannot be read: {why}"
            found.append(Finding("journals", FAULT, text, "check its owner and mode"))
            continue
        seen += 1
        found += _check_journal(journal, scan, now)
        if facts.is_readable:
            found += _check_against(journal, scan, facts)
    found += examine_fold(location, facts, journals)
    found += [*_check_set_aside(location), *_check_others(location)]
    if not any(finding.check == "journals" for finding in found):
        text = f"{count_of(seen, 'journal')}, all whole" if seen else "none is open"
        found.insert(0, Finding("journals", OK, text))
    return found


def _check_journal(journal: JournalFile, scan: JournalScan, now: float) -> list[Finding]:
    name, found = short_name(journal.path), []
    alive = scan.header is not None and is_alive(scan.header, journal)
    if scan.header is None and now - journal.heartbeat > FRESH_SECONDS:
        text = f"{name} has no whole header; {count_of(scan.records, 'record')} behind it"
        found.append(Finding("journals", FAULT, text, REPAIR))
    elif scan.damaged:
        start = scan.damaged[0][0]
        behind = sum(stop - at for at, stop in scan.whole if at > start)
        text = (
            f"{name}: {count_of(scan.damaged_bytes, 'byte')} damaged from byte {start:,}"
            f" on, {behind:,} bytes of whole records behind"
        )
        found.append(Finding("journals", FAULT, text, REPAIR))
    if scan.cut and not alive:
        text = (
            f"{name} ends in a record that was cut after {count_of(scan.cut, 'byte')};"
            " its call had not returned"
        )
        advice = "nothing is to be done: the next command that reads folds the rest"
        found.append(Finding("journals", WARNING, text, advice))
    if scan.seconds_back > _BACK_SECONDS:
        text = f"{name}: its records' times run back by {scan.seconds_back:,.0f} s"
        advice = "the clock was set back; order by step, not by time"
        found.append(Finding("clock", WARNING, text, advice))
    if journal.heartbeat > now + _AHEAD_SECONDS:
        text = f"{name} was touched {journal.heartbeat - now:,.0f} s in the future"
        advice = "set the clock of the machine that writes it, or of this one"
        found.append(Finding("clock", WARNING, text, advice))
    return found


def _check_against(
    journal: JournalFile, scan: JournalScan, facts: DatabaseFacts
) -> list[Finding]:
    known = facts.journals.get(journal.writer)
    if known is None:
        return []  # new; the next fold meets it
    run_id, folded, _, ended = known
    name, found = short_name(journal.path), []
    size = max((stop for _, stop in (*scan.whole, *scan.damaged)), default=0) + scan.cut
    if folded > max(size, journal.size):
        text = f"{name} has {size:,} bytes, and {folded:,} were folded from it"
        advice = "it was cut or replaced; put the right file back, if there is one"
        found.append(Finding("offsets", FAULT, text, advice))
    if run_id not in facts.runs:
        text = f"{name} belongs to run {run_id[-8:]}, which the database does not know"
        advice = "move it away, or `stepwell repair NEW`"
        found.append(Finding("orphans", FAULT, text, advice))
    if ended not in {None, "lost"} and folded < journal.size and not scan.cut:
        text = f"{name} goes on behind its end, by {journal.size - folded:,} bytes"
        found.append(Finding("journals", WARNING, text, REPAIR))
    return found


def _check_set_aside(location: Location) -> list[Finding]:
    found = []
    for path in list_set_aside(location.journals):
        try:
            scan = scan_journal(path)
        except (OSError, StoreNewerError):
            continue
        text = (
            f"{short_name(path)} was set aside: {count_of(scan.records, 'record')} whole,"
            f" {count_of(scan.damaged_bytes, 'byte')} damaged"
        )
        found.append(Finding("journals", FAULT, text, REPAIR))
    return found


def _check_others(location: Location) -> list[Finding]:
    """What lies in the folder and is no file: nothing opens it."""
    advice = "it is passed over; remove it"
    return [
        Finding("journals", WARNING, f"{short_name(path)} is {kind}", advice)
        for path, kind in list_others(location.journals)
    ]


def examine_orphans(location: Location, facts: DatabaseFacts) -> list[Finding]:
    """Points without a run, runs without their journal, and files that were left behind."""
    found = []
    for run_id, points in facts.nameless.items():
        text = (
            f"{count_of(points, 'point')} of run {run_id}, which the database does not know"
        )
        found.append(Finding("orphans", FAULT, text, RENAMES))
    held = _with_journals(location) if facts.is_readable else None
    if held is not None:
        for run_id, (name, status, message) in facts.runs.items():
            # A copied or merged run says by its message where it goes on.
            if status == "running" and run_id not in held and not message:
                text = f"run {name!r} never ended, and has no journal"
                advice = "put its journal back; the next command that reads ends the run"
                found.append(Finding("orphans", WARNING, text, advice))
    found += _check_left_over(location, facts)
    return found or [Finding("orphans", OK, "nothing was left behind")]


def _check_left_over(location: Location, facts: DatabaseFacts) -> list[Finding]:
    found = []
    for suffix, what in LEFT_OVER.items():
        if suffix == LOG and not facts.is_readable:
            continue  # somebody uses it, or it is the trouble that was found
        if suffix in _USED_UNDER and lock_holders(location.journals / _USED_UNDER[suffix]):
            continue  # by whoever goes on just now
        for left in _left(location.database, suffix):
            text = f"{left.name} was left by {what}"
            found.append(Finding("orphans", WARNING, text, _advice_on(suffix, left)))
    for suffix, what in LEFT_IN_FOLDER.items():
        for left in folders_left_in(location.database.parent, suffix):
            text = f"{left.name} was left by {what}"
            found.append(Finding("orphans", WARNING, text, _advice_on(suffix, left)))
    return found


RENAMES = "`stepwell repair NEW` gives them a run again"
LOG = ".wal"
LEFT_OVER = {
    NEW: "a creation that was killed",
    COMPACT: "a `stepwell compact` that was killed",
    LOG: "a program that was killed while it had the database open",
}
"""What may lie beside the database, and who leaves it there."""

LEFT_IN_FOLDER = {
    COPY: "a `stepwell copy` or `merge` that was killed",
    RESCUE: "a `stepwell repair` that was killed",
    FILE: "a command that was killed while it wrote a file",
}
"""What may lie in the same folder, of whatever was to be made there."""

_USED_UNDER = {COMPACT: COMPACT}  # a lock file


def _left(database: Path, suffix: str) -> list[Path]:
    named = database.with_name(database.name + suffix)
    beside = [named] if suffix == LOG else [named, named.with_name(f"{named.name}{LOG}")]
    return [*(path for path in beside if path.exists()), *left_folders(database, suffix)]


def _with_journals(location: Location) -> set[str] | None:
    """Runs whose journals are there; None where the folder cannot be read."""
    try:
        return {journal.run_id for journal in list_journals(location.journals)}
    except StoreLocationError:
        return None


def _advice_on(suffix: str, left: Path) -> str:
    if suffix == LOG:
        return "leave it there: the next command that writes takes it in"
    return f"rm -r {left}; nothing is in it that is not elsewhere, too"


def present() -> float:
    """Seconds since 1970."""
    return time.time()
