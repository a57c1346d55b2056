"""Points a second: from the first call to the end of `finish()`, and the fold alone."""

import sys
import time

from _runs import log, lone_writer, noisy_calls, wait_for_helper
from _timing import Claim, folder, fresh, main

import stepwell

CALLS, METRICS = 20_000, 10
SHORT = (500, 200, 5)  # calls, runs, metrics


def cold(store: str) -> float:
    """A process's first run: nothing is loaded, the store exists."""
    run = stepwell.init(store=store)
    return _through(run)


def warm(store: str) -> float:
    """A later run, when the helper process is there."""
    run = stepwell.init(store=store)
    wait_for_helper(run)
    run.finish()
    return _through(stepwell.init(store=store))


def _through(run: stepwell.Run) -> float:
    pool = noisy_calls()
    begin = time.perf_counter()
    log(run, CALLS, pool)
    run.finish()
    return CALLS * METRICS / (time.perf_counter() - begin) / 1e6


def fold_alone(store: str, calls: int, runs: int = 1, metrics: int = METRICS) -> float:
    """Fold journals that are already written, in this process, as the helper does."""
    sys.modules["pandas"] = None  # type: ignore[assignment]
    from stepwell.store.database.lease import lease_of  # noqa: PLC0415
    from stepwell.store.files.location import resolve  # noqa: PLC0415
    from stepwell.store.ingest.ingest import fold  # noqa: PLC0415 (loads DuckDB)

    _make(store)
    pool = noisy_calls(min(calls, 1000), metrics)
    for _ in range(runs):
        writer = lone_writer(store)
        recorder = writer.recorder()
        for _ in range(calls // len(pool)):
            for values in pool:
                recorder.log(values)
        writer.finish("finished", None)
    begin = time.perf_counter()
    fold(lease_of(resolve(store)))
    return runs * calls * metrics / (time.perf_counter() - begin) / 1e6


def _make(store: str) -> None:
    with stepwell.open_store(store) as opened:
        opened.sql("select 1")


def measure(repetitions: int) -> list[Claim]:
    """Each repetition is a fresh process; the store exists."""
    found: dict[str, list[float]] = {}
    for _ in range(repetitions):
        with folder() as path:
            store = path / "store.duckdb"
            fresh(_make, store)
            found.setdefault("cold", []).append(fresh(cold, store))
            found.setdefault("warm", []).append(fresh(warm, store))
        for calls in (CALLS, 10 * CALLS):
            with folder() as path:
                figure = fresh(fold_alone, path / "store.duckdb", calls)
                found.setdefault(str(calls), []).append(figure)
        with folder() as path:
            figure = fresh(fold_alone, path / "store.duckdb", *SHORT)
            found.setdefault("short", []).append(figure)
    unit = "M points/s"
    return [
        Claim("through, 20,000 calls, first run", found["cold"], unit, least=1),
        Claim("through, 20,000 calls, later run", found["warm"], unit, least=1),
        Claim("fold alone, 20,000 calls", found[str(CALLS)], unit, least=2),
        Claim("fold alone, 200,000 calls", found[str(10 * CALLS)], unit, least=2),
        Claim("fold alone, 200 runs of 500 calls of 5", found["short"], unit, least=1.2),
    ]


if __name__ == "__main__":
    main(measure)
