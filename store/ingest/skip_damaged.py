"""Folding all journals but those whose own fold fails, whatever the reason.

They stay where they are. They are tried again when they have grown, or when their writer
has ended, and by each new process.
"""

from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from stepwell.store.base.errors import StoreError
from stepwell.store.database.duckdb_instance import roll_back
from stepwell.store.database.lease import Lease
from stepwell.store.database.table_directory_backup import keep_directory
from stepwell.store.journal.files import JournalFile
from stepwell.store.journal.writer_alive import is_alive

from .pending import is_due
from .run_rows import RunRows, from_nanoseconds

_OF_THE_STORE = (
    StoreError,
    OSError,
    duckdb.IOException,  # a full disk, too
    duckdb.FatalException,
    duckdb.InterruptException,
    duckdb.TransactionException,
)
"""Errors that no journal is to blame for."""

_Some = Callable[[list[JournalFile]], bool]


def fold_all_sound(
    connection: duckdb.DuckDBPyConnection,
    lease: Lease,
    journals: list[JournalFile],
    some: _Some,
    sample: Callable[[], None],
) -> bool:
    """Fold all journals that can be; says whether there is more.

    Args:
        connection: The store, within an exclusive lease.
        lease: Its lease, which remembers what was passed over.
        journals: The journals in the folder.
        some: Folds some of them in one transaction; says whether they hold more.
        sample: Inserts what any journal may hold, within a transaction.

    Raises:
        Exception: What *some* raised, where the store would not take in the sample either.
    """
    fold = _Fold(connection, lease, some, sample)
    known = {journal.writer for journal in journals}
    for writer in lease.passed.keys() - known:
        del lease.passed[writer]
    # Those that failed before go last, one by one: together with the others they would fail
    # the common transaction each time, which would then be halved again.
    suspects = [journal for journal in journals if journal.writer in lease.passed]
    more = fold.all_of([j for j in journals if j.writer not in lease.passed])
    for journal in suspects:
        header = lease.headers.get(journal.writer)
        if header is None or is_due(lease, journal, header):
            more |= fold.next_of([journal])
    return more


@dataclass(frozen=True, slots=True)
class _Fold:
    connection: duckdb.DuckDBPyConnection
    lease: Lease
    some: _Some
    sample: Callable[[], None]

    def all_of(self, journals: list[JournalFile]) -> bool:
        """Fold them together, or else the halves of them, and so on."""
        try:
            return self.some(journals)
        except _OF_THE_STORE:
            raise
        except Exception as error:
            roll_back(self.connection)
            # The sample tells whose fault it is. Where the store refuses that, too, it
            # would refuse every journal, and all of them would be passed over for nothing.
            if not journals or not self._would_take_another():
                raise
            if len(journals) == 1:
                self._pass_over(journals[0], error)
                return False
        # By halves a bad journal among a thousand is found in some twenty transactions, and
        # all sound ones are still folded in a few.
        middle = _middle(journals)
        first = self.next_of(journals[:middle])
        return self.next_of(journals[middle:]) or first

    def next_of(self, journals: list[JournalFile]) -> bool:
        """The same after another transaction."""
        keep_directory(self.lease.location, self.connection)
        return self.all_of(journals)

    def _would_take_another(self) -> bool:
        try:
            self.connection.execute("BEGIN")
            self.sample()
        except Exception:  # noqa: BLE001 (the first error says more)
            return False
        finally:
            roll_back(self.connection)
        return True

    def _pass_over(self, journal: JournalFile, error: Exception) -> None:
        lease, why = self.lease, said(error)
        header = lease.headers.get(journal.writer)
        alive = header is not None and is_alive(header, journal)
        lease.passed[journal.writer] = (journal.size, alive)
        try:
            self._keep_row(journal, why, alive=alive)
        except _OF_THE_STORE:
            raise
        except Exception:  # noqa: BLE001 (its header may be what fails)
            roll_back(self.connection)
        lease.say_once(
            f"the journal {lease.called.journals / journal.path.name} is passed over, since"
            f" it cannot be folded: {why}; what else was recorded is read, and `stepwell rm"
            f" {journal.run_id[-8:]}` removes its run"
        )

    def _keep_row(self, journal: JournalFile, why: str, *, alive: bool) -> None:
        """Show the run, so that it can be found, and removed."""
        header = self.lease.headers[journal.writer]
        keep_directory(self.lease.location, self.connection)
        self.connection.execute("BEGIN")
        rows = RunRows(self.connection)
        rows.load([header.run_id])
        if alive:
            rows.end(header, "running", None, None)
        else:
            seen = from_nanoseconds(int(journal.heartbeat * 1e9))
            rows.end(header, "crashed", f"its journal cannot be folded: {why}", seen)
        rows.write()
        self.connection.execute("COMMIT")


def _middle(journals: list[JournalFile]) -> int:
    """Where to divide them: between two runs, whose attempts are folded in their order."""
    half = len(journals) // 2
    places = range(1, len(journals))
    between = (n for n in places if journals[n - 1].run_id != journals[n].run_id)
    return min(between, key=lambda place: abs(place - half), default=half)


def said(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for one of its records"
    line = (str(error).splitlines() or [""])[0].strip()
    return f"{type(error).__name__}: {line}" if line else type(error).__name__
