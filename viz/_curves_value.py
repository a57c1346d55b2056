"""What a plot of many runs' curves shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stepwell.store import ConfigurationError, better_side

from ._bands import Band, band_for, band_of, band_text, on_grid
from ._comparing import counted, going_note, noted
from ._curve_smoothing import smooth, smoothing_of
from ._numbers import short_value

if TYPE_CHECKING:
    from stepwell.store import Runs, Store, SweepTable

Floats = NDArray[np.float64]
_MOST_SINGLE = 40  # of more runs, a band says more than all their lines
_MINUTE, _HOUR = 60.0, 3600.0


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
        is_running: Whether the run goes on.
    """

    run_id: str
    name: str
    group: str
    x: Floats
    y: Floats
    raw: Floats
    is_running: bool


@dataclass(frozen=True, slots=True, eq=False)
class GroupLine:
    """The curves of a group as one line and a band.

    Attributes:
        name: The group's name, such as "lr 0.01".
        n: How many runs.
        x: float64, ascending.
        band: Line and band.
    """

    name: str
    n: int
    x: Floats
    band: Band


@dataclass(frozen=True, slots=True, eq=False)
class CurvesPlot:
    """Curves of one metric over one x axis.

    Attributes:
        metric: The metric's name.
        xlabel: What the x axis is, with its unit.
        note: What is shown, in words.
        runs: A line a run, the oldest first.
        groups: A line a group; one without a name where runs are too many for lines.
        best: Ids of the runs to tell from the others, the best first.
        logx: Whether the x axis is logarithmic.
        logy: Whether the y axis is.
    """

    metric: str
    xlabel: str
    note: str
    runs: tuple[RunLine, ...]
    groups: tuple[GroupLine, ...]
    best: tuple[str, ...]
    logx: bool = False
    logy: bool = False


def prepare_curves(  # noqa: PLR0913 (an option an argument)
    store: "Store",
    metric: str,
    *,
    runs: "Runs" = None,
    x: str = "step",
    smooth: str | None = None,
    group_by: str | Sequence[str] = (),
    band: str = "auto",
    logx: bool = False,
    logy: bool = False,
    goal: str | None = None,
    columns: int = 1000,
) -> CurvesPlot:
    """What `plot_curves` draws; its arguments are explained there."""
    keys = (group_by,) if isinstance(group_by, str) else tuple(group_by)
    how = smoothing_of(smooth)
    band_for(band, ())
    table = store.sweep_table(runs=runs)
    curves = store.curves(metric, runs=runs, x=x, columns=columns)
    status = dict(zip(table.run_id, table.status, strict=True))
    names = group_names(table, keys)
    shift, unit, xlabel = _x_axis(x, [curve.x for curve in curves.values()])
    lines = tuple(
        _line(curve, names.get(run_id, ""), how, (shift, unit, logx, logy), status)
        for run_id, curve in curves.items()
    )
    lines = tuple(line for line in lines if np.isfinite(line.y).any())
    groups, kind = _groups(lines, names, keys, band)
    note = noted(
        counted(len(lines), "run") + (f" by {', '.join(keys)}" if keys else ""),
        band_text(kind) if groups else "",
        how.text if how else "",
        going_note([status[line.run_id] for line in lines]),
    )
    return CurvesPlot(
        metric, xlabel, note, lines, groups, _best(lines, metric, goal), logx, logy
    )


def group_names(table: "SweepTable", keys: Sequence[str]) -> dict[str, str]:
    """The name of each run's group by the run's id, in the order of the keys' values.

    Raises:
        ConfigurationError: No run has such a key.
    """
    columns = [_column(table, key) for key in keys]
    rows = list(zip(*columns, strict=True)) if keys else [()] * len(table.run_id)
    order = sorted(range(len(rows)), key=lambda row: [_rank(cell) for cell in rows[row]])
    return {
        str(table.run_id[row]): (f"{keys[0]} " if len(keys) == 1 else "")
        + " · ".join(_text(cell) for cell in rows[row])
        for row in order
    }


def _column(table: "SweepTable", key: str) -> Sequence[Any]:
    if key in table.params:
        return list(table.params[key])
    if key in table.constants:
        return [table.constants[key]] * len(table.run_id)
    if not len(table.run_id):
        return []
    known = ", ".join([*table.params, *table.constants][:12]) or "none"
    raise ConfigurationError(
        f"no run has the configuration key {key!r}; there are: {known}"
    )


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
    x = (curve.x - shift) / unit
    raw, y = curve.mean, smooth(curve.mean, curve.count, how)
    if logy:
        raw, y = (np.where(part > 0, part, np.nan) for part in (raw, y))
    if logx:
        x, raw, y = x[x > 0], raw[x > 0], y[x > 0]
    going = status.get(curve.run_id) == "running"
    return RunLine(curve.run_id, curve.run, group, x, y, raw, going)


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
    found = []
    for name, part in members.items():
        grid = np.unique(np.concatenate([line.x[np.isfinite(line.x)] for line in part]))
        rows = np.vstack([on_grid(line.x, line.y, grid) for line in part])
        found.append(GroupLine(name, len(part), grid, band_of(rows, kind)))
    return tuple(found), kind


def _best(lines: Sequence[RunLine], metric: str, goal: str | None) -> tuple[str, ...]:
    """The runs by the best value of their lines; by age where no side is better."""
    side = goal or better_side(metric)
    if side is None:
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
