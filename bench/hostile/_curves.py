"""What a store gives of single metrics, compared with the model's points."""

import math
from collections import Counter
from collections.abc import Iterator

from stepwell.store import ReducedSeries, Store

from ._model import Answer, MetricAnswer, Point

_METRICS = 2  # of a run
_COLUMNS = 7


def of_curves(store: Store, run_id: str, answer: Answer) -> Iterator[str]:
    """What is wrong with the series of a run's first metrics, whole and reduced."""
    run = store.run(run_id)
    for metric in [*answer.summary][:_METRICS]:
        if not metric:
            continue  # no metric of a user is called so
        points = [point for point in answer.shown.elements() if point.metric == metric]
        yield from _of_series(store, run_id, metric, points)
        reduced = store.reduced(run, [metric], columns=_COLUMNS)
        if metric in reduced:
            yield from _of_reduced(metric, reduced[metric], answer.summary[metric])
        else:
            yield f"{metric!r} is not among the reduced series"


def _of_series(
    store: Store, run_id: str, metric: str, points: list[Point]
) -> Iterator[str]:
    series = store.series(run_id, metric)
    times = series.times.astype("int64").tolist()
    found = [*zip(series.steps.tolist(), times, series.values.tolist(), strict=True)]
    if [one[:2] for one in found] != sorted(one[:2] for one in found):
        yield f"the series of {metric!r} is not in order"
    got = Counter((*rest, None if math.isnan(value) else value) for *rest, value in found)
    right = Counter((point.step, point.time, point.value) for point in points)
    if got != right:
        yield f"the series of {metric!r} is {got!r:.300}, not {right!r:.300}"


def _of_reduced(metric: str, reduced: ReducedSeries, answer: MetricAnswer) -> Iterator[str]:
    least = [value for value in reduced.minimum.tolist() if not math.isnan(value)]
    greatest = [value for value in reduced.maximum.tolist() if not math.isnan(value)]
    got = (
        min(least, default=None),
        max(greatest, default=None),
        sum(reduced.count.tolist()),
        sum(reduced.non_finite.tolist()),
        int(reduced.first_step[0]),
        int(reduced.last_step[-1]),
    )
    right = (
        answer.minimum,
        answer.maximum,
        answer.count,
        answer.non_finite,
        answer.first_step,
        answer.last_step,
    )
    if got != right or len(reduced.count) > _COLUMNS:
        yield f"{metric!r} reduced to {len(reduced.count)} is {got!r}, not {right!r}"
    means = [mean for mean in reduced.mean.tolist() if not math.isnan(mean)]
    if len(means) != len(least) or not all(map(math.isfinite, means)):
        yield f"{metric!r} reduced has the means {means!r}"
    if float(reduced.last[-1]) not in answer.lasts and None not in answer.lasts:
        yield f"{metric!r} reduced ends with {reduced.last[-1]!r}"
