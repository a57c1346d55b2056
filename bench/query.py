"""Questions to a run of ten million points, in a warm process."""

from _runs import log
from _timing import Claim, folder, fresh, main, milliseconds

import stepwell

CALLS = 1_000_000
METRIC = "train/metric_3"


def record(store: str) -> None:
    """A million steps of ten metrics."""
    run = stepwell.init(store=store)
    log(run, CALLS)
    run.finish()


def ask(store: str) -> list[float]:
    """Milliseconds for each question: the median of seven."""
    with stepwell.open_store(store) as opened:
        run = opened.run("last")
        return [
            milliseconds(lambda: opened.summary("last")),
            milliseconds(lambda: opened.reduced(run, [METRIC], columns=1000)),
            milliseconds(lambda: opened.series(run, METRIC)),
            milliseconds(opened.overview),
        ]


def measure(repetitions: int) -> list[Claim]:
    """One store; each repetition asks it from a fresh process."""
    with folder() as path:
        store = path / "store.duckdb"
        fresh(record, store)
        found = [fresh(ask, store) for _ in range(repetitions)]
    summary, reduced, series, overview = (list(one) for one in zip(*found, strict=True))
    return [
        Claim("summary of 10M points", summary, "ms", most=150),
        Claim("1M points to 1,000 columns", reduced, "ms", most=60),
        Claim("1M points, all of them", series, "ms"),
        Claim("overview of the store", overview, "ms"),
    ]


if __name__ == "__main__":
    main(measure)
