"""The progress of a run as its store tells it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from stepwell.store import MetricNotFoundError, raise_if_of_handler

from .progress import (
    MOST_TIMES,
    Past,
    Progress,
    StepTimes,
    Times,
    steps_done,
    throughput,
    total_steps,
)

if TYPE_CHECKING:
    from stepwell.store import MetricSummary, News, Run, Store


def past_of(run: "Run", seconds: float) -> Past:
    """What a run had done; asks the store about a resumed one only, as DuckDB loads slowly.

    Args:
        run: The run, which this process records.
        seconds: Since this process began it.
    """
    if run.attempt > 1:
        try:
            store = run.store()
            news = store.news(run.id, (), {})
            times = recorded_times(store, news)
            return Past(news.run.duration_seconds, news.first_step, times)
        except Exception as error:  # noqa: BLE001 (the view counts from here on)
            raise_if_of_handler(error)
    return Past(seconds)


class StoredProgress:
    """The progress of a run of any process, by what is new in the store.

    Args:
        store: Where the run is.
    """

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._news: News | None = None
        self._times: StepTimes | None = None

    @property
    def newest(self) -> float | None:
        """Seconds from the run's start to its newest point."""
        return None if self._times is None else self._times.newest

    def take(self, news: "News") -> None:
        """Take in what is new.

        Raises:
            StepwellError: If the store can't be read just now.
        """
        self._news = news
        step = last_step(news.summary)
        if step is None or news.last_time is None:
            return
        if self._times is None:
            self._times = StepTimes(recorded_times(self._store, news))
        seconds = (news.last_time - news.run.created_at).total_seconds()
        self._times.add(seconds, step)

    def progress(self, elapsed: float | None = None) -> Progress:
        """How far and how fast the run is.

        Args:
            elapsed: Seconds since its start; those up to now, or its end, when absent.
        """
        news = self._news
        if news is None:
            return Progress()
        rate = None if self._times is None else self._times.rate
        sizes = (news.summary.get(name) for name in ("batch_size", "sequence_length"))
        return Progress(
            steps_done(news.first_step, last_step(news.summary)),
            total_steps(news.run.config),
            news.run.duration_seconds if elapsed is None else elapsed,
            rate,
            *throughput(rate, *(one.current if one else None for one in sizes)),
            is_running=news.run.status == "running",
        )


def last_step(summary: "Mapping[str, MetricSummary]") -> int | None:
    """The greatest step of a run; None before the first."""
    return max((one.last_step for one in summary.values()), default=None)


def recorded_times(store: "Store", news: "News") -> Times:
    """When the steps were recorded, by the metric that tells it well with few points."""
    newest = last_step(news.summary)
    counts = {
        name: one.count for name, one in news.summary.items() if one.last_step == newest
    }
    if not counts:
        return ()
    # Any metric that reached the newest step tells the pace. Reading costs by the point, so
    # the one with the fewest points that are still enough is read.
    many = [name for name, count in counts.items() if count >= MOST_TIMES]
    metric = (
        min(many, key=counts.__getitem__) if many else max(counts, key=counts.__getitem__)
    )
    try:
        series = store.series(news.run, metric)
    except MetricNotFoundError:
        return ()  # removed meanwhile
    stride = max(1, -(-len(series.steps) // MOST_TIMES))
    # The last point is the one that the rate counts up to, so it is always kept.
    kept = sorted({*range(0, len(series.steps), stride), len(series.steps) - 1})
    times = series.times.astype("datetime64[us]").astype("int64")[kept].tolist()
    begin = news.run.created_at.timestamp()
    found = StepTimes()
    for time, step in zip(times, series.steps[kept].tolist(), strict=True):
        found.add(max(time / 1e6 - begin, 0.0), step)
    return found.pairs
