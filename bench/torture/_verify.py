"""The end: what the stores hold, against what the ledgers say."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from stepwell.store import open_store
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest.ingest import fold

from ._again import Attempts
from ._calls import Calls
from ._ledger import Said, frequencies, read_excuses, read_ledgers, was_tried_again
from ._readers import OLD_STORE
from ._setting import Setting
from ._strangers import strange_runs

_LONGEST = 3600 * 10**6  # microseconds; no run goes on for as long
_LINES = 20  # troubles told of each kind
_COUNTS = """
select any_value(metric), count(*) from totals_ t full join (
    select run_id, metric, rank, attempt, count(*) as count from points group by all
) p using (run_id, metric, rank, attempt)
where t.count is distinct from p.count
"""
_MEANS = """
select any_value(metric), count(*) from summary
where count > non_finite and coalesce(not isfinite(mean), true)
"""
_POINTS = """
select run_id::varchar, count(p.run_id)
from runs r full join points p using (run_id) group by 1
"""


@dataclass(slots=True)
class Verdict:
    """What came out.

    Attributes:
        calls: Calls acknowledged.
        refused: Calls that the disk refused.
        points: Points in the stores.
        excused: Acknowledged calls that damage took, as it may.
        lost: Acknowledged points that are not in their store.
        twice: Points that are there more than once.
        invented: Points that nobody recorded, or not so.
        stores: Stores looked at.
        troubles: What was wrong, in words.
    """

    calls: int = 0
    refused: int = 0
    points: int = 0
    excused: int = 0
    lost: int = 0
    twice: int = 0
    invented: int = 0
    stores: int = 0
    troubles: list[str] = field(default_factory=list)

    def add(self, kind: str, number: int, words: str) -> None:
        """Note a trouble."""
        if number:
            setattr(self, kind, getattr(self, kind) + number)
            if len(self.troubles) < _LINES:
                self.troubles.append(f"{kind}: {words} ({number})")


def verify(setting: Setting) -> Verdict:
    """Compare every store with the ledgers."""
    verdict = Verdict()
    excuses = read_excuses(setting.excuses)
    by_store: dict[Path, list[Said]] = {}
    for said in read_ledgers(setting.ledgers):
        by_store.setdefault(Path(said.store), []).append(said)
        verdict.calls += len(said.done)
        verdict.refused += len(said.refused)
    before = _runs_of(OLD_STORE)
    strange = strange_runs(setting)
    for store, streams in by_store.items():
        calls = [Calls.of(said, excuses) for said in streams]
        comparison = _Comparison(verdict, store, calls, strange)
        is_old = store.is_relative_to(setting.base / "old")
        comparison.make(before if is_old else {})
        comparison.check_ends(setting.ledgers)
    for least in sorted(setting.base.glob("copies/*/least.json")):
        known = json.loads(least.read_text())
        streams, numbers = by_store.get(Path(known["store"]), []), known["calls"]
        calls = [Calls.of(said, excuses, numbers.get(said.stream, 0)) for said in streams]
        store = least.with_name(setting.store.name)
        _Comparison(verdict, store, calls, strange).make({})
    return verdict


def _runs_of(store: Path) -> dict[str, int]:
    """Points of each run of a store of an earlier version."""
    with duckdb.connect(str(store), read_only=True) as connection:
        rows = connection.execute(
            "select run_id::varchar, count(p.run_id) from runs r"
            " left join points p using (run_id) group by 1"
        ).fetchall()
    return dict(rows)


class _Comparison:
    """Compares one store with what was said to it."""

    def __init__(
        self, verdict: Verdict, store: Path, calls: list[Calls], strange: set[str]
    ) -> None:
        self._verdict = verdict
        self._strange = strange
        self._store = store
        self._calls = calls
        self._label = f"{store.parent.parent.name}/{store.parent.name}"

    def make(self, before: dict[str, int]) -> None:
        """Compare all points; *before* are the points of each run that was there."""
        lease = lease_of(resolve(self._store))
        open_store(self._store)
        fold(lease)
        self._verdict.stores += 1
        runs: dict[str, list[Calls]] = {}
        for calls in self._calls:
            runs.setdefault(calls.said.run_id, []).append(calls)
        with lease.shared() as connection:
            metric, count = connection.execute(_COUNTS).fetchone() or ("", 0)
            self._add("twice", count, f"{metric} has other totals than points")
            metric, count = connection.execute(_MEANS).fetchall()[0]
            self._add("invented", count, f"{metric} has finite values, and no finite mean")
            points = dict(connection.execute(_POINTS).fetchall())
            for run_id, count in before.items():
                found = points.get(run_id, 0)
                self._add("lost", max(0, count - found), f"of {run_id}, there before")
                self._add("twice", max(0, found - count), f"of {run_id}, there before")
            for run_id in points.keys() - before.keys() - runs.keys() - self._strange:
                self._add("invented", points[run_id], f"of {run_id}, that nobody began")
            for run_id, group in runs.items():
                self._compare_run(connection, run_id, group)

    def check_ends(self, ledgers: Path) -> None:
        """Look whether each run that came to its good end is finished."""
        with open_store(self._store) as store:
            runs = {run.run_id: run for run in store.runs()}
        for calls in self._calls:
            said, run = calls.said, runs.get(calls.said.run_id)
            if "." in said.stream or (said.again and was_tried_again(said.again, ledgers)):
                continue  # its end is not the run's
            # Damage may have taken the record of the end, where no fold had come before it.
            is_sure = said.has_ended and not said.refused and not calls.is_damaged
            if is_sure and (run is None or run.status != "finished"):
                end = f"{run.status} ({run.exit_message})" if run else "not there"
                self._add("lost", 1, f"{said.stream} is {end}, not finished")

    def _add(self, kind: str, number: int, words: str) -> None:
        self._verdict.add(kind, number, f"{self._label}: {words}")

    def _compare_run(
        self, connection: duckdb.DuckDBPyConnection, run_id: str, group: list[Calls]
    ) -> None:
        found = connection.execute(
            "select metric, step, value, epoch_us(time) as time from points"
            " where run_id = ?::uuid order by 1, 2, 4",
            [run_id],
        ).fetchnumpy()
        names = np.asarray(found["metric"], dtype=str)
        steps, values = np.asarray(found["step"]), np.asarray(found["value"])
        times = np.asarray(found["time"])
        self._verdict.points += len(steps)
        claimed = 0
        for calls in group:
            there: set[int] = set()
            for metric, every in frequencies(calls.said.stream).items():
                mine = names == f"{calls.said.stream}/{metric}"
                claimed += int(mine.sum())
                there.update(steps[mine].tolist())
                must = calls.must[calls.must % every == 0]
                words = f"{calls.said.stream}/{metric}"
                self._add("lost", int((~np.isin(must, steps[mine])).sum()), words)
                self._compare_points(calls, metric, steps[mine], values[mine], every)
                self._compare_times(words, times[mine])
            missing = calls.said.done.keys() - there - set(calls.must.tolist())
            self._verdict.excused += len(missing) if calls.is_whole else 0
        attempts = Attempts(group)
        if attempts.metric:
            claimed += attempts.compare(connection, run_id, self._add)
        self._add("invented", len(steps) - claimed, f"other metrics of {run_id}")

    def _compare_points(
        self,
        calls: Calls,
        metric: str,
        steps: NDArray[np.int64],
        values: NDArray[np.float64],
        every: int,
    ) -> None:
        words = f"{calls.said.stream}/{metric}"
        different, first = np.unique(steps, return_index=True)
        self._add("twice", len(steps) - len(different), words)
        right = np.isin(different, calls.may) & (different % every == 0)
        kept = values[first]
        for place in np.flatnonzero(right).tolist():
            expected = calls.value(metric, int(different[place]))
            right[place] = _bits(expected) == _bits(float(kept[place]))
        shown = [(int(different[at]), float(kept[at])) for at in np.flatnonzero(~right)[:3]]
        self._add("invented", int((~right).sum()), f"{words} {shown}")

    def _compare_times(self, words: str, times: NDArray[np.int64]) -> None:
        """Look whether the times of a stream's calls run forward, and by no jump."""
        back = int((np.diff(times) < 0).sum())
        self._add("invented", back, f"{words}: times that run back")
        jumped = len(times) > 0 and int(np.ptp(times)) > _LONGEST
        self._add("invented", int(jumped), f"{words}: times hours apart")


def _bits(value: float) -> bytes:
    if value != value:  # noqa: PLR0124 (NaN)
        return b"nan"
    # Where all values of a row group are zeros, DuckDB loses their signs (duckdb#25580).
    return np.float64(value + 0.0).tobytes()
