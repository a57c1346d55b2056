"""What a plot of many runs' curves shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.store import better_side
from stepwell.viz.base.axis import bounded
from stepwell.viz.base.numbers import short_value
from stepwell.viz.base.smoothing import smooth, smoothing_of
from stepwell.viz.sweep_data.bands import Floats, band_for, band_text
from stepwell.viz.sweep_data.group_lines import GroupLine, group_line
from stepwell.viz.sweep_data.notes import counted, going_note, noted, without_note
from stepwell.viz.sweep_data.param_axis import is_logarithmic
from stepwell.viz.sweep_data.runs_as_points import axis_of, bins_of, column_of, name_of_key

if TYPE_CHECKING:
    from stepwell.store import SweepData, SweepTable

_MOST_SINGLE = 40  # of more runs, a band says more than all their lines
_MINUTE, _HOUR = 60.0, 3600.0
MOST_KINDS = 12
"""Numbers of a key that are groups by themselves; of more, ranges are."""

RANGES = 5
COLUMNS = 1000
"""How finely curves are reduced for a picture of their own."""

PAGE_COLUMNS = 400
"""How finely they are for the page about a sweep."""


@dataclass(frozen=True, slots=True, eq=False)
class RunLine:
    """The curve of one run.

    Attributes:
        run_id: The run's UUID as text.
        name: The run's name.
        group: Name of its group; empty where there are none.
        x: float64, ascending.
        y: float64, smoothed where that is asked for; may be NaN.
        raw: float64, not smoothed.
        status: The run's status.
        after: How the metric went on behind the line's end: `nan`, `inf` or `-inf`;
            empty where it ended there.
    """

    run_id: str
    name: str
    group: str
    x: Floats
    y: Floats
    raw: Floats
    status: str
    after: str = ""

    @property
    def is_running(self) -> bool:
        """Whether the run goes on."""
        return self.status == "running"


@dataclass(frozen=True, slots=True, eq=False)
class CurvesPlot:
    """Curves of one metric over one x axis.

    Attributes:
        metric: The metric's name.
        by: Short names of the keys that make the groups; empty where none do.
        xlabel: What the x axis is, with its unit.
        note: What is shown, in words.
        runs: A line a run, the oldest first.
        groups: A line a group; one without a name where runs are too many for lines.
        best: Ids of the runs to tell from the others, the best first.
        logx: Whether the x axis is logarithmic.
        logy: Whether the y axis is.
        ends_last: Whether a line's right end is the newest of its run; not where x is
            a metric that falls, such as a loss.
    """

    metric: str
    by: str
    xlabel: str
    note: str
    runs: tuple[RunLine, ...]
    groups: tuple[GroupLine, ...]
    best: tuple[str, ...]
    logx: bool = False
    logy: bool = False
    ends_last: bool = True


def prepare_curves(  # noqa: PLR0913 (an option an argument)
    sweep: "SweepData",
    *,
    smooth: str | None = None,
    group_by: str | Sequence[str] = (),
    band: str = "auto",
    logx: bool = False,
    logy: bool | None = False,
    goal: str | None = None,
    columns: int = COLUMNS,
) -> CurvesPlot:
    """What `plot_curves` draws; its arguments are explained there.

    Where *logy* is None, the values tell whether their axis is logarithmic. The sweep has
    the curves in as many *columns*.
    """
    keys = (group_by,) if isinstance(group_by, str) else tuple(group_by)
    how = smoothing_of(smooth)
    band_for(band, ())
    metric, table, curves = sweep.leaderboard.metric, sweep.table, sweep.curves[columns]
    status = dict(zip(table.run_id, table.status, strict=True))
    names = group_names(table, keys)
    if logy is None:
        means = [curve.mean[np.isfinite(curve.mean)] for curve in curves.values()]
        every = np.concatenate([*means, np.zeros(0)])
        logy = bool(len(every)) and is_logarithmic(np.array([every.min(), every.max()]))
    shift, unit, xlabel = _x_axis(sweep.x, [curve.x for curve in curves.values()])
    lines = tuple(
        _line(curve, names[run_id], how, (shift, unit, logx, logy), status)
        for run_id, curve in curves.items()
    )
    lines = tuple(line for line in lines if np.isfinite(line.y).any())
    groups, kind = _groups(lines, names, keys, band)
    note = noted(
        band_text(kind, [one.n for one in groups]) if groups else "",
        how.text if how else "",
        "dashed: not all runs" if not all(one.is_whole for one in groups) else "",
        counted(len(lines), "run"),
        without_note(len(table.run_id) - len(lines)),
        going_note([status[line.run_id] for line in lines]),
    )
    return CurvesPlot(
        metric=metric,
        by=", ".join(name_of_key(table, key) for key in keys),
        xlabel=xlabel,
        note=note,
        runs=lines,
        groups=groups,
        best=_best(lines, metric, goal),
        logx=logx,
        logy=logy,
        ends_last=better_side(sweep.x) != "min",
    )


def group_names(table: "SweepTable", keys: Sequence[str]) -> dict[str, str]:
    """The name of each run's group by the run's id, in the order of the keys' values.

    A number that takes many values is put into ranges, called by their medians.

    Raises:
        ConfigurationError: No run has such a key.
    """
    columns = [_cells(table, key) for key in keys]
    rows = list(zip(*columns, strict=True)) if keys else [()] * len(table.run_id)
    order = sorted(range(len(rows)), key=lambda row: [rank for rank, _ in rows[row]])
    prefix = f"{name_of_key(table, keys[0])} " if len(keys) == 1 else ""
    return {
        str(table.run_id[row]): prefix + " · ".join(text for _, text in rows[row])
        for row in order
    }


def _cells(table: "SweepTable", key: str) -> list[tuple[tuple[int, float, str], str]]:
    """Rank and text of each run's value of a key."""
    column = column_of(table, key)
    if column.dtype == np.float64 and len(np.unique(column)) > MOST_KINDS:
        bins, centres = bins_of(axis_of(column, key), RANGES)
        texts = [f"≈ {short_value(centre, 2)}" for centre in centres]
        return [
            ((0, float(one), ""), texts[one]) if one >= 0 else (_rank(None), _text(None))
            for one in bins.tolist()
        ]
    return [(_rank(cell), _text(cell)) for cell in column.tolist()]


def _rank(cell: Any) -> tuple[int, float, str]:
    if isinstance(cell, float):
        return (2, 0.0, "") if np.isnan(cell) else (0, cell, "")
    return (2, 0.0, "") if cell is None else (1, 0.0, str(cell))


def _text(cell: Any) -> str:
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return "–"
    return short_value(cell) if isinstance(cell, float) else str(cell)


def _line(
    curve: Any,
    group: str,
    how: Any,
    axes: tuple[float, float, bool, bool],
    status: Mapping[str, str],
) -> RunLine:
    shift, unit, logx, logy = axes
    x = bounded((curve.x - shift) / unit)
    raw = bounded(curve.mean)
    # Before any value is taken out for a logarithm: smoothing counts all points.
    y = smooth(raw, curve.count, how)
    if logy:
        raw, y = (np.where(part > 0, part, np.nan) for part in (raw, y))
    if logx:
        x, raw, y = x[x > 0], raw[x > 0], y[x > 0]
    # The same object, by which drawing knows that there is no second line to draw.
    y = raw if how is None else y
    last = float(curve.last[-1]) if len(curve.last) else 0.0
    return RunLine(
        curve.run_id,
        curve.run,
        group,
        x,
        y,
        raw,
        status[curve.run_id],
        "" if np.isfinite(last) else f"{last:g}",
    )


def _groups(
    lines: Sequence[RunLine], names: Mapping[str, str], keys: Sequence[str], band: str
) -> tuple[tuple[GroupLine, ...], str]:
    if not lines or not (keys or len(lines) > _MOST_SINGLE):
        return (), ""
    members = {
        name: [line for line in lines if line.group == name]
        for name in dict.fromkeys(names.values())
    }
    members = {name: part for name, part in members.items() if part}
    kind = band_for(band, [len(part) for part in members.values()])
    found = (
        group_line(name, [(line.x, line.y) for line in part], kind)
        for name, part in members.items()
    )
    return tuple(found), kind


def _best(lines: Sequence[RunLine], metric: str, goal: str | None) -> tuple[str, ...]:
    """The runs by the best value of their lines; by age where no side is better."""
    side = goal or better_side(metric)
    if side is None:
        # Without a better side the newest runs are those that a person looks for.
        return tuple(line.run_id for line in reversed(lines))
    sign = 1.0 if side == "min" else -1.0
    worth = {line.run_id: float(np.nanmin(sign * line.y)) for line in lines}
    return tuple(sorted(worth, key=worth.__getitem__))


def _x_axis(x: str, found: Sequence[Floats]) -> tuple[float, float, str]:
    """What to take off, what to divide by, and the label."""
    if x not in {"time", "elapsed"}:
        return 0.0, 1.0, x
    every = np.concatenate(found) if found else np.zeros(0)
    if not len(every):
        return 0.0, 1.0, x
    start = float(every.min()) if x == "time" else 0.0
    span = float(every.max()) - start
    unit, name = next(
        (size, name)
        for size, name in ((_HOUR, "hours"), (_MINUTE, "minutes"), (1.0, "seconds"))
        if span >= 2 * size or name == "seconds"
    )
    if x == "elapsed":
        return 0.0, unit, f"{name} since the run's start"
    day = datetime.fromtimestamp(start, UTC).strftime("%Y-%m-%d %H:%M")
    return start, unit, f"{name} since {day} UTC"
