"""The lease: how one process at a time works on the DuckDB file, for milliseconds.

Each process keeps one in-memory DuckDB. A lease takes the store's lock, attaches the file,
works, detaches and gives the lock back. DuckDB lets only one process hold a file, readers
included, so nobody holds it for longer than the work takes.
"""

import os
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path

import duckdb

from stepwell import migrations
from stepwell.store.base.errors import StoreBusyError, StoreLocationError, StoreWarning
from stepwell.store.base.visible_text import visible
from stepwell.store.files.location import Location, prepare_folder
from stepwell.store.inputs.arguments import as_seconds
from stepwell.store.journal.format import Header
from stepwell.store.schema.contents import Rehearsal

from .duckdb_errors import explain
from .duckdb_instance import (
    PAUSE,
    attach_when_free,
    leave_alone,
    let_go,
    load_for_parameters,
    new_memory,
    roll_back,
    run_apart,
)
from .file_guard import FileGuard
from .table_directory_backup import keep_directory
from .thread_turn import NestedTurnError, ThreadTurn
from .torn_checkpoint import is_half_written, noted, put_right
from .turns import QueryRunsError, Turn, Turns

SECONDS = 30.0
"""How long a lease is waited for, unless the caller says otherwise."""

STORAGE_VERSION = "v1.5.0"  # so that DuckDB 1.5 and 2.0 share a store
Attached = AbstractContextManager[duckdb.DuckDBPyConnection]
_Connections = Iterator[duckdb.DuckDBPyConnection]


class Lease:
    """One process's way to one store. Made by `lease_of`, one a store and process."""

    def __init__(self, location: Location, reach: Iterable[Path] = ()) -> None:
        self.location = location
        self.guard = FileGuard(location.database, reach)
        self._thread_turn = ThreadTurn(location)
        self._turns: Turns | None = None
        self._memory: duckdb.DuckDBPyConnection | None = None
        self.prepared = False
        """Whether the schema was found, or made, as this code expects it."""
        self.folded: dict[str, int] = {}
        """Bytes of each journal known to be folded; spares a look into the database."""
        self.torn: dict[str, tuple[int, float]] = {}
        """Size and time of each journal whose end was no whole record at the last fold."""
        self.alive: dict[str, bool] = {}
        """Whether each journal's writer lived at the last fold."""
        self.headers: dict[str, Header] = {}
        """Headers of the journals met, by writer."""
        self.header_ends: dict[str, int] = {}
        """Where those headers end."""
        self.as_of: datetime | None = None
        """What is seen in the block that reads: all until then; None for all there is."""
        self.passed: dict[str, tuple[int, bool]] = {}
        """Size, and whether the writer lived, of each journal whose fold failed then."""
        self.called = location  # by messages; another one where this is its hidden copy
        self._said: set[str] = set()

    def shared(self, seconds: float = SECONDS, *, bare: bool = False) -> Attached:
        """Read the store, beside other readers; *bare* without views and parameters.

        Yields:
            A connection with views of the store, attached as `store`; valid in the block.

        Raises:
            StoreBusyError: If the store stays in use for longer than *seconds*.
            StoreDamagedError: If the database file cannot be read.
        """
        return self._leased(seconds, Turn.SHARED, bare=bare)

    @contextmanager
    def querying(self, memory: duckdb.DuckDBPyConnection, seconds: float) -> _Connections:
        """Read the store, bare, for long, on an instance made ahead."""
        self._memory = memory
        with self.shared(seconds, bare=True) as connection, self._open_turns().querying():
            yield connection

    def exclusive(
        self, seconds: float = SECONDS, *, stops_queries: bool = True
    ) -> Attached:
        """Write to the store, alone; makes the database file when it is not there.

        Args:
            seconds: How long to wait for it.
            stops_queries: Whether a user's query in the way is stopped, and run again.

        Yields:
            A connection with views of the store, attached as `store`; valid in the block.

        Raises:
            StoreBusyError: If the store stays in use for longer than *seconds*.
            QueryRunsError: If a query is in the way for long, and is not to be stopped.
            StoreDamagedError: If the database file cannot be read.
            StoreLocationError: If it cannot be written.
        """
        return self._leased(seconds, Turn.ALONE if stops_queries else Turn.POLITE)

    @contextmanager
    def _leased(self, seconds: float, turn: Turn, *, bare: bool = False) -> _Connections:
        """Lock and attach; the lock is nobody's while another program holds the file.

        So whoever else waits finds that program, and not a process that waits for it, too.
        """
        deadline = time.monotonic() + as_seconds(seconds)
        trouble: StoreBusyError | None = None
        if not bare:
            load_for_parameters()
        with ExitStack() as lease:
            while True:
                try:
                    connection = self._lease_once(lease, deadline, turn)
                    break
                except (QueryRunsError, NestedTurnError):
                    raise
                except StoreBusyError as error:
                    # Later on it may be one who waits, too, that has the lock just now.
                    trouble = trouble or error
                    if time.monotonic() + PAUSE > deadline:
                        raise trouble from None
                time.sleep(PAUSE)
            if not bare:
                self.guard.make_views(connection)
            yield connection

    def _lease_once(
        self, lease: ExitStack, deadline: float, turn: Turn
    ) -> duckdb.DuckDBPyConnection:
        with ExitStack() as attempt:
            attempt.enter_context(self._locked(max(0.0, deadline - time.monotonic()), turn))
            mode = migrations.writing_mode(self.location.database, STORAGE_VERSION)
            mode = "READ_ONLY" if turn is Turn.SHARED else mode
            connection = attempt.enter_context(self.attached(0.0, mode))
            lease.enter_context(attempt.pop_all())
        return connection

    def locked(
        self, seconds: float = SECONDS, *, exclusive: bool = True
    ) -> AbstractContextManager[float]:
        """Keep other processes away (writers alone, or all) without attaching the file.

        Yields:
            The deadline, for `attached`.

        Raises:
            StoreBusyError: If the store stays in use for longer than *seconds*.
        """
        return self._locked(seconds, Turn.ALONE if exclusive else Turn.SHARED)

    @property
    def writable(self) -> bool:
        """Whether this process may write to the store's folder."""
        return self._open_turns().lock.writable

    def say_once(self, message: str) -> None:
        """Warn of trouble with the store, once a message."""
        if message not in self._said:
            self._said.add(message)
            warnings.warn(visible(message), StoreWarning, stacklevel=2)

    def _open_turns(self, *, begins: bool = False) -> Turns:
        if self._turns is None or (begins and self._turns.forget_removed()):
            prepare_folder(self.location)
            self._turns = Turns(self.location.journals)
        return self._turns

    @contextmanager
    def _locked(self, seconds: float, turn: Turn) -> Iterator[float]:
        begun = time.monotonic()
        deadline = begun + as_seconds(seconds)
        with self._thread_turn.taken(deadline - begun):
            # What takes long the first time is done before anybody waits for it.
            self._memory = self._memory or new_memory()
            turns = self._open_turns(begins=True)
            if turn is not Turn.SHARED and not turns.lock.writable:
                raise StoreLocationError(
                    f"no permission to write to the store {self.location}; check its"
                    " owner and mode"
                )
            with turns.taken(turn, deadline, begun):
                yield deadline

    @contextmanager
    def attached(self, deadline: float, mode: str) -> _Connections:
        """Attach the file within `locked`, for work that needs the two steps apart."""
        writes = mode != "READ_ONLY"
        # The instance is kept only if it has let go of the file, whatever happens.
        connection, self._memory = self._memory or new_memory(), None
        self.guard.before(connection)
        if self._turns is not None:
            put_right(self._turns.lock, self.location)
        with self.writing() if writes else nullcontext():
            try:
                attach_when_free(connection, mode, self.location, deadline)
                self.guard.look(connection)
                if writes:
                    keep_directory(self.location, connection)
                yield connection
            except BaseException:
                roll_back(connection)
                self._memory = connection if let_go(connection) else None
                raise
            try:
                if writes:
                    keep_directory(self.location, connection)
                run_apart(connection, "DETACH store")
            except duckdb.Error as error:
                connection.close()
                raise explain(error, self.location) from error
            self.guard.behind()
            self._memory = connection

    @contextmanager
    def unconfined(self) -> _Connections:
        """A DuckDB, within an exclusive `locked`, for a new file of this process alone."""
        connection, self._memory = self._memory, None
        if connection is None or self.guard.confines(connection):
            connection = new_memory()
        yield connection
        self._memory = connection

    def writing(self) -> AbstractContextManager[None]:
        """Note, within an exclusive `locked`, that the file is written to."""
        return noted(self._open_turns().lock, self.location)

    @property
    def is_half_written(self) -> bool:
        """Whether a process was killed in the middle of a checkpoint; within `locked`."""
        return self._turns is not None and is_half_written(self._turns.lock, self.location)

    def get_ready(self, rehearse: Rehearsal) -> None:
        """Make this process's DuckDB, with views, ahead; see `schema.contents`."""
        self._memory = self._memory or self.guard.with_views(new_memory(), rehearse)

    def renew(self, reach: Iterable[Path] = ()) -> None:
        """Let what comes open further databases, or files in folders; see `reaching`."""
        with self._thread_turn.taken(SECONDS):
            self.guard = FileGuard(self.location.database, reach)
            if self._memory is not None:
                self._memory.close()
                self._memory = None

    def close(self) -> None:
        """Let go of everything; for a lease of a file that is used no more."""
        if self._turns is not None:
            self._turns.forget()
            self._turns = None
        self.renew()

    def forget(self) -> None:
        """After a fork, in the child: begin anew, and never touch the parent's DuckDB."""
        if self._turns is not None:
            self._turns.forget()
        leave_alone(self._memory)
        leave_alone(self.guard)  # which may know one that the lease has no more
        self.__init__(self.location)  # type: ignore[misc]


_leases: dict[Location, Lease] = {}
_leases_lock = threading.RLock()


def lease_of(location: Location) -> Lease:
    """This process's one lease of a store, by whatever path it is reached."""
    with _leases_lock:
        lease = _leases.get(location)
        if lease is None or not lease.location.is_same(location):
            known = (one for one in _leases.values() if one.location.is_same(location))
            lease = _leases[location] = next(known, None) or Lease(location)
        return lease


def _after_fork() -> None:
    global _leases_lock  # noqa: PLW0603 (the parent's may have been held)
    _leases_lock = threading.RLock()
    for lease in _leases.values():
        lease.forget()


os.register_at_fork(after_in_child=_after_fork)
