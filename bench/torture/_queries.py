"""The processes that ask for much in SQL, and one that looks how long it waits for them."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stepwell.store import QueryError, QueryTimeoutError, RunInfo, Store
from stepwell.store.files.location import resolve
from stepwell.store.files.lock_file import LockFile

from ._setting import Setting

_REFUSED = Path(__file__).parents[2] / "tests" / "sql_queries" / "refused.sql"
_LONG = (
    "select count(*) from range(1000000000000)",
    "select sum(a.value * b.value * c.value) from points a, points b, points c",
    "select a.metric, max(a.value - b.value) from metrics a, metrics b group by 1",
    "with recursive r(n) as (select 1 union all select n + 1 from r) select max(n) from r",
    "select max(length(repeat('x', 1000) || n)) from range(100000000000) t(n)",
    "select count(*) from (select list(n) from range(100000000) t(n) group by n % 7)",
)
_LIMITS = (0.3, 3.0)  # seconds that a query may take
_LATE = 1.0  # seconds after its limit in which it has ended
_PATIENCE = 60.0  # seconds that a question waits for its lease
_MOST = 0.5  # seconds that nobody waits longer for a query
_TICK = 0.02  # seconds
_STOPPED = "T"  # how the system calls a process that was stopped


def ask(setting: Setting, draw: random.Random) -> None:
    """Ask what takes long, and what is forbidden, in turn and at random."""
    stores = [Store(path, seconds=_PATIENCE) for path in _stores(setting)]
    refused = [
        line.format(folder=setting.base / "forbidden")
        for line in _REFUSED.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#") and "\\" not in line
    ]
    while not setting.is_over:
        store = draw.choice(stores)
        if draw.random() < 0.5:  # noqa: PLR2004
            _ask_long(setting, store, draw.choice(_LONG), draw.uniform(*_LIMITS))
        else:
            _ask_forbidden(setting, store, draw.choice(refused))
        time.sleep(draw.random() * 0.5)


def _stores(setting: Setting) -> list[Path]:
    return [setting.quiet_store, setting.quiet_store, setting.store]


def _ask_long(setting: Setting, store: Store, query: str, limit: float) -> None:
    store.runs(limit=1)  # what there is to fold is folded
    with _watching(_lock_of(store.location)) as watch:
        try:
            store.sql(query, timeout=limit)
        except QueryTimeoutError:
            setting.count("queries that were stopped at their limit")
        except QueryError:
            setting.count("queries that were stopped by something else")
        else:
            setting.count("queries that came to their end")
    if watch.asked > limit + _LATE + setting.noise:
        setting.complain(f"a query of {limit:.1f} s took {watch.asked:.1f} s: {query}")


def _ask_forbidden(setting: Setting, store: Store, query: str) -> None:
    try:
        store.sql(query, timeout=_LIMITS[1])
    except QueryError:
        setting.count("queries that were refused")
    else:
        setting.complain(f"a query was not refused: {query}")
    if (setting.base / "forbidden").exists():
        setting.complain(f"a query wrote a file: {query}")


def look(setting: Setting, draw: random.Random) -> None:
    """Read again and again, and look how long a query lets one wait."""
    path = setting.quiet_store
    store = Store(path, seconds=_PATIENCE)
    lock = _lock_of(path)
    runs: list[RunInfo] = []
    while not setting.is_over:
        with _watching(lock) as watch:
            if runs:
                store.summary(runs.pop())
            else:
                runs = store.runs(limit=draw.randint(1, 4))
        setting.count("reads beside queries")
        if watch.asked > _TICK:
            setting.count("reads that a query was in the way of")
        if watch.asked > _MOST + setting.noise:
            setting.complain(
                f"unseen: a read took {watch.seconds:.2f} s, and waited {watch.asked:.2f} s"
                " of it while a query held the store"
            )
        time.sleep(draw.random() * 0.1)


def _lock_of(store: Path) -> LockFile:
    return LockFile(resolve(store).journals / ".lock")


class _Watch(threading.Thread):
    """Looks at a lock while another thread reads: who has it, and for how long.

    The thread that reads is the one that makes it.

    Attributes:
        seconds: How long it went on.
        asked: For how much of it a query held the store, and could have let go; without
            the time in which the one that reads could go on, and had no core to do so.
    """

    def __init__(self, lock: LockFile) -> None:
        super().__init__(daemon=True)
        self._lock = lock
        self._is_over = threading.Event()
        self._turns = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self.seconds = self.asked = 0.0

    def run(self) -> None:
        began = last = time.monotonic()
        before = self._without_core()
        while not self._is_over.wait(_TICK):
            now, without = time.monotonic(), self._without_core()
            if _is_query(self._lock.holder()):
                # Where this process had no turn for longer, the others had none, either.
                counted = min(now - last, 2 * _TICK)
                # It is told of a wait when it is over, at times some looks later.
                idle = max(0.0, without - before - (now - last - counted))
                self.asked = max(0.0, self.asked + counted - idle)
            last, before = now, without
        self.seconds = time.monotonic() - began

    def _without_core(self) -> float:
        """Seconds that the one that reads has waited for a core; 0 where none says so."""
        try:
            return int(self._turns.read_text().split()[1]) / 1e9
        except (OSError, LookupError):
            return 0.0

    def stop(self) -> None:
        """End it, and wait for its end."""
        self._is_over.set()
        self.join()


@contextmanager
def _watching(lock: LockFile) -> Iterator[_Watch]:
    watch = _Watch(lock)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


def _is_query(pid: int | None) -> bool:
    """Whether a process runs somebody's query, and was not stopped on purpose."""
    if pid is None:
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return b"user_sql.start_process" in command and state != _STOPPED
