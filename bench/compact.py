"""What a compaction gains: bytes, and time of queries, of a store of interleaved runs.

The store is grown as eight processes do that train at once: by many small folds, so that
each row group has points of all runs and metrics.
"""

import shutil
from pathlib import Path

from _runs import lone_writer, noisy_calls
from _timing import Claim, folder, fresh, main, milliseconds

import stepwell
from stepwell.store import compact_store
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest.ingest import fold
from stepwell.store.recording.run_writer import RunWriter

RUNS = 8
FOLDS = 200
CALLS = 100  # a run and fold
METRIC = "train/metric_3"


def grow(store: str) -> None:
    """Record 1.6 million points in 200 folds, of runs that end."""
    for writer in _grow(store):
        writer.finish("finished", None)
    fold(lease_of(resolve(store)))


def compact_live(store: str) -> list[float]:
    """As `compact`, of as many points of runs that go on."""
    writers = _grow(store)
    done = compact(store)
    for writer in writers:
        writer.abandon()
    return done


def _grow(store: str) -> list[RunWriter]:
    writers = [lone_writer(store) for _ in range(RUNS)]
    recorders = [writer.recorder() for writer in writers]
    pool = noisy_calls()
    for number in range(FOLDS):
        for place, recorder in enumerate(recorders):
            for call in range(CALLS):
                recorder.log(pool[(number * CALLS + call + place) % len(pool)])
        fold(lease_of(resolve(store)))
    return writers


def compact(store: str) -> list[float]:
    """Megabytes before and after, seconds taken, milliseconds that others had to wait."""
    done = compact_store(store)
    return [done.before / 1e6, done.after / 1e6, done.seconds, 1000 * done.held]


def ask(store: str) -> list[float]:
    """Milliseconds for each question: the median of seven."""
    with stepwell.open_store(store) as opened:
        run = opened.runs()[RUNS // 2]
        mean = f"""
            select avg(value) from points
            where run_id = '{run.run_id}' and metric = '{METRIC}'
        """  # noqa: S608
        return [
            milliseconds(lambda: opened.series(run, METRIC)),
            milliseconds(lambda: opened.reduced(run, [METRIC])),
            milliseconds(lambda: opened.reduced(run)),
            milliseconds(lambda: opened.sql(mean).fetchall()),
        ]


def _copy(store: Path, name: str) -> Path:
    return Path(shutil.copy(store, store.with_name(name)))


def measure(repetitions: int) -> list[Claim]:
    """One store; each repetition compacts a copy of it in a fresh process."""
    claims = []
    with folder() as path:
        grown = path / "grown.duckdb"
        fresh(grow, grown)
        before, after, done = [], [], []
        for number in range(repetitions):
            store = _copy(grown, f"{number}.duckdb")
            before.append(fresh(ask, store))
            done.append(fresh(compact, store))
            after.append(fresh(ask, store))
        names = ("size before", "size after", "compaction", "others wait")
        units = ("MB", "MB", "s", "ms")
        for place, (name, unit) in enumerate(zip(names, units, strict=True)):
            claims.append(Claim(name, [one[place] for one in done], unit))
        questions = ("one series", "one series, reduced", "all series, reduced", "SQL mean")
        for place, name in enumerate(questions):
            claims.append(Claim(f"{name}, before", [one[place] for one in before], "ms"))
            claims.append(Claim(f"{name}, after", [one[place] for one in after], "ms"))
        live = fresh(compact_live, path / "live.duckdb")
        claims.append(Claim("others wait, all runs live", [live[3]], "ms"))
    return claims


if __name__ == "__main__":
    main(measure, repetitions=3)
