"""What the questions about many runs give: frozen values of numpy columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .table import RowTable, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

_TEXTS = dict.fromkeys(("run_id", "run", "project", "group_name", "status"), "object")
_RANKED = {**_TEXTS, "value": "float64", "step": "int64"}


@dataclass(frozen=True, slots=True, eq=False)
class Leaderboard(RowTable):
    """Runs by one metric, the best first; of equal runs the older.

    Attributes:
        metric: The metric's name.
        goal: `min` or `max`.
        at: `best`, `last`, or the step at which the runs are compared.
        run_id: Object array of UUIDs as text, n values.
        run: Object array of the runs' names.
        project: Object array of texts; None where there is none.
        group_name: Object array of texts; None where there is none.
        status: Object array of texts.
        value: float64, the finite values that the runs are ranked by.
        step: int64, where they stand.
        runs_without: How many of the selected runs have no finite value there, and so
            no row.
    """

    metric: str
    goal: str
    at: str | int
    run_id: NDArray[np.object_]
    run: NDArray[np.object_]
    project: NDArray[np.object_]
    group_name: NDArray[np.object_]
    status: NDArray[np.object_]
    value: NDArray[np.float64]
    step: NDArray[np.int64]
    runs_without: int

    @classmethod
    def of_rows(cls, rows: list[tuple[Any, ...]], **others: object) -> Leaderboard:
        """A board of rows of plain values.

        Args:
            rows: Values of the columns, in their order.
            others: The fields that are no columns.
        """
        board = cls.__new__(cls)
        for name, value in others.items():
            object.__setattr__(board, name, value)
        board.hold_rows(rows, _RANKED)
        return board

    def columns(self) -> Mapping[str, NDArray[np.generic]]:
        """The columns by name, each with one value a row."""
        return {name: getattr(self, name) for name in _RANKED}


@dataclass(frozen=True, slots=True, eq=False)
class SweepTable(Table):
    """A row a run, the oldest first: what varies between them, and what came of it.

    Attributes:
        run_id: Object array of UUIDs as text, n values.
        run: Object array of the runs' names.
        status: Object array of texts.
        created_at: datetime64[us] in UTC.
        seconds: float64, from the start to the end, or to the newest point of a run that
            goes on; NaN where there is neither.
        params: Configuration keys that vary, in the order of the configuration: float64
            (NaN = absent) where every value is a number, else an object array of texts
            (None = absent).
        constants: Configuration keys that are the same for all runs, as text.
        given: For keys whose column is float64, bool: whether a run has a value there, be
            it NaN.
        values: The metrics asked for: float64, NaN where a run has none.
    """

    run_id: NDArray[np.object_]
    run: NDArray[np.object_]
    status: NDArray[np.object_]
    created_at: NDArray[np.datetime64]
    seconds: NDArray[np.float64]
    params: Mapping[str, NDArray[np.generic]]
    constants: Mapping[str, str | None]
    given: Mapping[str, NDArray[np.bool_]]
    values: Mapping[str, NDArray[np.float64]]

    def param(self, key: str, row: int) -> Any:
        """A run's value of a key that varies: a number, a text, or None for none at all."""
        value: Any = self.params[key][row]
        if key not in self.given:
            return value
        return float(value) if self.given[key][row] else None

    def columns(self) -> Mapping[str, NDArray[np.generic]]:
        """The columns by name; a parameter called as another column is `config.NAME`."""
        names = ("run_id", "run", "status", "created_at", "seconds")
        found: dict[str, NDArray[np.generic]] = {n: getattr(self, n) for n in names}
        for key, column in self.params.items():
            clash = key in names or key in self.values
            found[f"config.{key}" if clash else key] = column
        return found | {
            (f"metric.{metric}" if metric in names else metric): column
            for metric, column in self.values.items()
        }


@dataclass(frozen=True, slots=True, eq=False)
class RunCurve(Table):
    """One metric of one run, reduced to buckets that all runs of the question share.

    No extreme is lost: a spike of one point is its bucket's minimum or maximum. Every
    array has one value a bucket in which the run has a point, n in all, by x.

    Attributes:
        run_id: The run's UUID as text.
        run: The run's name.
        bucket: int64, number of the bucket on the common x axis.
        x: float64, the least x of any run's point in that bucket, so that equal buckets
            of two runs have equal x. Steps; or seconds since 1970 (UTC), or since the
            run's start; or another metric's values.
        minimum: float64, least finite value; NaN where there is none.
        maximum: float64, greatest finite value; NaN where there is none.
        mean: float64, mean of the finite values; NaN where there is none.
        last: float64, value of the bucket's last point; may be NaN or infinite.
        count: int64, points in the bucket, the non-finite ones included.
    """

    run_id: str
    run: str
    bucket: NDArray[np.int64]
    x: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    mean: NDArray[np.float64]
    last: NDArray[np.float64]
    count: NDArray[np.int64]

    def columns(self) -> Mapping[str, NDArray[np.generic]]:
        """The arrays by name, in their order."""
        names = ("bucket", "x", "minimum", "maximum", "mean", "last", "count")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, eq=False)
class Groups(Table):
    """Runs that differ only in what is averaged over, as one row; the best mean first.

    Attributes:
        metric: The metric's name.
        goal: `min` or `max`.
        at: `best`, `last` or a step.
        over: The key that the groups are averaged over.
        keys: The keys that make the groups: float64 or object arrays, as in a
            `SweepTable`.
        n: int64, runs with a finite value.
        mean: float64.
        median: float64.
        interquartile_mean: float64, mean without the lowest and the highest quarter.
        std: float64, standard deviation of the sample (n - 1); NaN for one run.
        low: float64, lower end of the 95 % bootstrap interval of the mean; NaN for one
            run.
        high: float64, its upper end.
        run_ids: The runs of each group, by age.
    """

    metric: str
    goal: str
    at: str | int
    over: str
    keys: Mapping[str, NDArray[np.generic]]
    n: NDArray[np.int64]
    mean: NDArray[np.float64]
    median: NDArray[np.float64]
    interquartile_mean: NDArray[np.float64]
    std: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    run_ids: tuple[tuple[str, ...], ...]

    def columns(self) -> Mapping[str, NDArray[np.generic]]:
        """The columns by name; a key called as a statistic is `config.NAME`."""
        statistics = ("n", "mean", "median", "interquartile_mean", "std", "low", "high")
        found = {
            (f"config.{key}" if key in statistics else key): column
            for key, column in self.keys.items()
        }
        return found | {name: getattr(self, name) for name in statistics}

    def __len__(self) -> int:
        return len(self.n)


@dataclass(frozen=True, slots=True, eq=False)
class Importance(Table):
    """How much of a metric's variance each configuration key explains by itself.

    Attributes:
        metric: The metric's name.
        goal: `min` or `max`.
        at: `best`, `last` or a step.
        key: Object array of the keys, the most important first.
        eta2: float64, explained share of the variance, from 0 to 1, corrected for chance.
        direction: int64, 1 where the metric rises with the key, -1 where it falls, 0
            where it does neither throughout, or the key is no number.
        n: int64, runs that have the key and a finite value.
        bins: int64, groups that the key's values were put into.
        method: How it was computed, in words.
        warning: Why not to rely on it; empty when nothing speaks against it.
    """

    metric: str
    goal: str
    at: str | int
    key: NDArray[np.object_]
    eta2: NDArray[np.float64]
    direction: NDArray[np.int64]
    n: NDArray[np.int64]
    bins: NDArray[np.int64]
    method: str
    warning: str

    def columns(self) -> Mapping[str, NDArray[np.generic]]:
        """The columns by name, each with one value a row."""
        names = ("key", "eta2", "direction", "n", "bins")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, eq=False)
class SweepData:
    """What a page about a sweep shows: the answers of one moment, of the same runs.

    Attributes:
        leaderboard: The runs by rank.
        table: All the runs, with the metric's values.
        importance: How much of the metric each configuration key explains.
        x: What the curves go over.
        curves: The metric's curves by run id, for each number of columns asked for.
    """

    leaderboard: Leaderboard
    table: SweepTable
    importance: Importance
    x: str
    curves: Mapping[int, Mapping[str, RunCurve]]


@dataclass(frozen=True, slots=True)
class ProbabilityBetter:
    """How often a run of one group is better than a run of another.

    Attributes:
        probability: P(A better than B) + ½ P(tie); NaN where a group has no value.
        low: Lower end of its 95 % bootstrap interval; NaN below two runs in a group.
        high: The interval's upper end.
        n_a: Runs of the first group that have a finite value.
        n_b: Runs of the second group that have one.
    """

    probability: float
    low: float
    high: float
    n_a: int
    n_b: int
