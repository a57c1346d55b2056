"""The processes that read, fold, migrate and copy, and look hard at what they are given."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from stepwell.store import (
    News,
    QueryError,
    RunInfo,
    Store,
    StoreBusyError,
    compact_store,
    copy_store,
    open_store,
)
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.files.lock_file import LockFile
from stepwell.store.ingest.ingest import fold, needs_fold

from ._ledger import Said, read_excuses, read_ledger
from ._setting import Setting

OLD_STORE = Path(__file__).parents[2] / "tests" / "stores" / "0001.duckdb"
_PATIENCE = 60.0  # seconds that a question waits for its lease
_FOLD_SECONDS = 0.1  # seconds that the store is held, until that was watched
_LATEST = 1.2  # of that time has gone by, at most, when a fold is killed
_LONGEST_WAIT = 20.0  # seconds, for a child's turn at the store
_KILLED = "without an answer"  # what is said of a query whose process is gone
_LONGEST_COPY_PAUSE = 20.0  # seconds

_COUNT = """
select count(*), count(distinct step), count(*) filter (value <> step) from points
where run_id = '{said.run_id}' and metric = '{said.stream}/a'
"""


def view(setting: Setting, draw: random.Random) -> None:
    """Ask for the news of a run again and again, as a live view does."""
    stores = [open_store(path, seconds=_PATIENCE) for path in _both(setting)]
    while not setting.is_over:
        store = draw.choice(stores)
        runs = store.runs(limit=6)
        if runs:
            _watch(setting, store, draw.choice(runs), draw)
        time.sleep(0.05)


def _watch(setting: Setting, store: Store, run: RunInfo, draw: random.Random) -> None:
    # What a later attempt says again takes away what was seen.
    metrics = [name for name in store.summary(run) if not name.startswith("chain-")]
    metrics = draw.sample(metrics, min(6, len(metrics)))
    seen: dict[str, list[int]] = {metric: [] for metric in metrics}
    known: dict[str, tuple[int, int]] = {}
    for _ in range(draw.randint(2, 12)):
        if setting.is_over:
            return
        news = store.news(run.run_id, metrics, known)
        for metric, (steps, _) in news.points.items():
            if metric in news.whole:
                seen[metric].clear()
            seen[metric] += steps.tolist()
        for metric, steps in seen.items():
            if trouble := _trouble(news, metric, steps, known):
                setting.complain(f"unseen: {metric}: {trouble}")
        setting.count("looks of a live view")
        time.sleep(draw.random() * 0.1)


def _both(setting: Setting) -> list[Path]:
    return [setting.store, setting.quiet_store]


def _trouble(
    news: News, metric: str, steps: list[int], known: dict[str, tuple[int, int]]
) -> str | None:
    """What is wrong with all that a live view was told of a metric; keeps its extent."""
    if metric not in news.summary:
        return None
    found = news.summary[metric]
    before = known.get(metric, (0, 0))[0]
    known[metric] = (found.count, found.last_step)
    if found.count < before:
        return f"had {before} points, has {found.count}"
    if len(steps) != found.count or len(set(steps)) != found.count:
        return f"{len(steps)} points, {len(set(steps))} different, not {found.count}"
    return None


def query(setting: Setting, draw: random.Random) -> None:
    """Ask in SQL whether each acknowledged call of a stream is there already."""
    stores = {str(path): Store(path, seconds=_PATIENCE) for path in _both(setting)}
    while not setting.is_over:
        newest = sorted(setting.ledgers.glob("*.ledger"), key=_changed)[-12:]
        said = read_ledger(draw.choice(newest)) if newest else None
        if said is not None and said.done and said.store in stores:
            _count_calls(setting, stores[said.store], said)
        time.sleep(draw.random() * 0.2)


def _count_calls(setting: Setting, store: Store, said: Said) -> None:
    try:
        answer = store.sql(_COUNT.format(said=said))
    except QueryError as error:
        if _KILLED not in str(error):
            raise
        setting.count("queries whose process was killed")
        return
    setting.count("SQL queries")
    found, count = answer.fetchall()[0], len(said.done)
    if answer.as_of is not None:  # somebody's query kept what is new from being folded
        setting.count("SQL queries answered as of an earlier moment")
    elif found[0] < count and said.stream not in read_excuses(setting.excuses):
        setting.complain(f"unseen: {found[0]} of {count} calls of {said.stream}")
    if found[0] != found[1] or found[2]:
        setting.complain(f"unseen: {said.stream} has {found}")


def _changed(path: Path) -> float:
    return path.stat().st_mtime


def fold_and_die(setting: Setting, draw: random.Random) -> None:
    """Fold in children that are killed while they hold the store, at any instant.

    How long somebody holds it depends on the machine, so it is watched: the kills are
    spread over all of what a fold does. It is the quiet store, where a turn comes soon;
    who folds the other is killed by the plan.
    """
    with suppress(ImportError):
        import pandas  # noqa: F401, PLC0415 (else DuckDB does so in each child)
    location = resolve(setting.quiet_store)
    location.journals.mkdir(parents=True, exist_ok=True)
    watch = _Watch(LockFile(location.journals / ".lock"))
    while not setting.is_over:
        child = os.fork()
        if child == 0:
            _fold_on(setting, location)
        if watch.wait_for(child):
            time.sleep(draw.random() * _LATEST * watch.usual)
            setting.count("kills of a fold")
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


class _Watch:
    """Looks at who holds a lock, and for how long."""

    def __init__(self, lock: LockFile) -> None:
        self._lock = lock
        self.usual = _FOLD_SECONDS

    def wait_for(self, pid: int) -> bool:
        """Wait until a process holds it, a while at most; gives whether it does."""
        holder, since = None, time.monotonic()
        deadline = since + _LONGEST_WAIT
        while (found := self._lock.holder()) != pid and time.monotonic() < deadline:
            if found != holder:
                now = time.monotonic()
                if holder is not None:
                    self.usual += (now - since - self.usual) / 8
                holder, since = found, now
            time.sleep(0.001)
        return found == pid


def _fold_on(setting: Setting, location: Any) -> None:
    try:
        while not setting.is_over:
            if not needs_fold(lease_of(location)):
                time.sleep(0.01)
            else:
                setting.count("folds begun in order to be killed")
                fold(lease_of(location), _PATIENCE)
    except StoreBusyError:
        setting.count("waits in vain")
    except BaseException as error:  # noqa: BLE001 (the child must end here)
        setting.complain(f"a fold failed: {type(error).__name__}: {error}")
    os._exit(0)


def migrate(setting: Setting, draw: random.Random, name: str) -> None:
    """Open an old store in several processes at once, and kill one of them."""
    for number in range(1000):
        if setting.until - time.monotonic() < 4:  # noqa: PLR2004 (seconds)
            return
        store = setting.base / "old" / f"{name}-{number}" / "runs.duckdb"
        store.parent.mkdir(parents=True)
        shutil.copy(OLD_STORE, store)
        kinds = ["brief", "open", "brief", "open"]
        children = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "torture", kind),
                    *(f"{name}-{number}-{place}", str(store)),
                ],
            )
            for place, kind in enumerate(kinds)
        ]
        time.sleep(draw.random() * 1.5)
        if draw.random() < 0.7:  # noqa: PLR2004
            victim = draw.choice(children)
            if victim.poll() is None:
                victim.kill()
                setting.count("kills of a migration")
        for child in children:
            if child.wait() not in {0, -signal.SIGKILL}:
                setting.complain(f"a process of {store.parent.name} failed: {child.args}")
        setting.count("migrations")
        time.sleep(2 + draw.random() * 4)


def open_old(setting: Setting, store: Path) -> None:
    """Open a store that others may be migrating, and read it."""
    with open_store(store, seconds=_PATIENCE) as opened:
        if not opened.runs():
            setting.complain(f"unseen: {store} has lost its runs")


def copy(setting: Setting, draw: random.Random, name: str) -> None:
    """Copy a store while all goes on: by the library, and by hand under its lock."""
    for number in range(8):
        left = setting.until - time.monotonic()
        time.sleep(draw.random() * min(_LONGEST_COPY_PAUSE, max(0.0, left / 2)))
        if setting.until - time.monotonic() < 1:
            return
        store = draw.choice(_both(setting))
        calls = {
            path.stem: len(found.done)
            for path in setting.ledgers.glob("*.ledger")
            if (found := read_ledger(path)) and found.store == str(store)
        }
        folder = setting.base / "copies" / f"{name}-{number}"
        folder.mkdir(parents=True)
        if number % 2 == 0:
            copy_store(store, folder / store.name, seconds=_PATIENCE)
        else:
            _copy_by_hand(store, folder)
        # Only a copy that is whole has the file that says what must be in it.
        said = {"store": str(store), "calls": calls}
        new = folder / "least.new"
        new.write_text(json.dumps(said))
        new.replace(folder / "least.json")  # at once: a kill may come at any instant
        setting.count("copies")


def _copy_by_hand(store: Path, folder: Path) -> None:
    with lease_of(resolve(store)).locked(_PATIENCE, exclusive=False):
        shutil.copy(store, folder)
        journals = Path(f"{store}.journal")
        target = folder / journals.name
        target.mkdir()
        for path in journals.glob("*.journal"):
            if path.is_file() and not path.is_symlink():
                shutil.copy(path, target)


def compact(setting: Setting, draw: random.Random) -> None:
    """Rewrite a store beside its writers."""
    while not setting.is_over:
        time.sleep(min(draw.uniform(1, 5), max(0.0, setting.until - time.monotonic())))
        compact_store(draw.choice(_both(setting)), seconds=_PATIENCE)
        setting.count("compactions")


def hold(setting: Setting, seconds: float) -> None:
    """Be another program that holds the database file, not knowing of Stepwell."""
    import duckdb  # noqa: PLC0415

    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            with duckdb.connect(str(setting.store)) as connection:
                connection.execute("select count(*) from points").fetchall()
                setting.count("holds by another program")
                time.sleep(seconds)
        except duckdb.Error:
            time.sleep(0.005)
        else:
            return
