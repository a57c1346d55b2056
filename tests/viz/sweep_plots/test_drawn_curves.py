"""The curves, lines and bands that are drawn are those of the points in SQL."""

from itertools import groupby
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stepwell import viz
from stepwell.store import Selection, Store
from stepwell.viz.base.numbers import short_value

Floats = NDArray[np.float64]

POINTS = """
select
    r.name, p.step, epoch_us(p.time), epoch_us(p.time) - epoch_us(r.created_at), t.value,
    case when isfinite(p.value) then p.value end,
    case r.status when 'running' then 1 when 'crashed' then 2 else 0 end
from points p join runs r using (run_id)
left join points t on t.run_id = p.run_id and t.metric = 'tokens' and t.step = p.step
where r.project = '{}' and p.metric = 'loss' order by r.created_at, r.run_id, p.step
"""
ENDS = """
select r.name, arg_max(p.value, p.step) from points p join runs r using (run_id)
where r.project = '{}' and p.metric = 'loss' group by r.name
"""
COLUMNS = ("step", "time", "elapsed", "tokens", "loss", "state")


def curves_of(store: Store, project: str) -> dict[str, dict[str, Floats]]:
    """The points of each run that has a finite one, the oldest run first, by plain SQL."""
    rows = store.sql(POINTS.format(project)).fetchall()
    found = {}
    for name, part in groupby(rows, key=lambda row: str(row[0])):
        columns = np.array([row[1:] for row in part], float).T
        curve = dict(zip(COLUMNS, columns, strict=True))
        if np.isfinite(curve["loss"]).any():
            found[name] = curve
    return found


def draw(store: Store, project: str, **options: Any) -> Axes:
    axes = viz.plot_curves(store, "loss", runs=Selection(project=project), **options)
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
    return axes


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(
    ("project", "x", "unit", "label"),
    [
        ("one", "step", 1, "step"),
        ("mixed", "step", 1, "step"),
        ("few", "step", 1, "step"),
        ("few", "time", 1e6, "seconds since 20"),
        ("few", "elapsed", 1e6, "seconds since the run's start"),
        ("few", "tokens", 1, "tokens"),
    ],
)
def test_a_line_a_run_stands_where_its_points_do(
    sweep_store: Store, project: str, x: str, unit: float, label: str
) -> None:
    curves = curves_of(sweep_store, project)
    axes = draw(sweep_store, project, x=x)
    begin = min(curve["time"][0] for curve in curves.values()) if x == "time" else 0.0
    span = max(curve[x][-1] - begin for curve in curves.values()) / unit

    assert len(axes.lines) == len(curves)
    for line, curve in zip(axes.lines, curves.values(), strict=True):
        xs = (curve[x] - begin) / unit
        # A place on the axis is a thousandth of it, and has one x for all runs.
        assert line.get_xdata() == pytest.approx(xs, abs=span / 1000)
        np.testing.assert_array_equal(line.get_ydata(), curve["loss"])
    ends = dict(sweep_store.sql(ENDS.format(project)).fetchall())
    lasts = {
        name: short_value(float(curve["loss"][np.isfinite(curve["loss"])][-1]))
        + ("" if np.isfinite(ends[name]) else f", then {ends[name]:g}")
        + ("", ", running", ", crashed")[int(curve["state"][0])]
        for name, curve in curves.items()
    }
    assert sorted(texts(axes)) == sorted(f"{name}: {last}" for name, last in lasts.items())
    assert axes.get_xlabel().startswith(label)


def test_runs_hours_apart_are_marks_on_an_axis_of_hours(sweep_store: Store) -> None:
    curves = curves_of(sweep_store, "mixed")
    axes = draw(sweep_store, "mixed", x="time")
    starts = [float(curve["time"][0]) / 3.6e9 for curve in curves.values()]

    assert axes.get_xlabel().startswith("hours since 20")
    for line, start, curve in zip(axes.lines, starts, curves.values(), strict=True):
        assert line.get_marker() == "o"
        assert line.get_xdata() == pytest.approx([start - starts[0]], abs=0.01)
        # All its points are in one of a thousand places: the mean of the finite ones.
        assert line.get_ydata() == pytest.approx([np.nanmean(curve["loss"])])


def debiased(values: Floats, share: float) -> Floats:
    """TensorBoard's recurrence over the finite values; the others stay NaN."""
    last, found = 0.0, np.full(len(values), np.nan)
    for count, place in enumerate(np.flatnonzero(np.isfinite(values)), start=1):
        last = last * share + (1 - share) * values[place]
        found[place] = last / (1 - share**count)
    return found


def windowed(values: Floats, size: int) -> Floats:
    """The mean of each finite value and the finite ones before it, *size* in all."""
    places, found = np.flatnonzero(np.isfinite(values)), np.full(len(values), np.nan)
    for number, place in enumerate(places, start=1):
        found[place] = values[places[max(0, number - size) : number]].mean()
    return found


@pytest.mark.parametrize(
    ("smooth", "project"), [("ema:0.6", "mixed"), ("window:2", "mixed"), ("ema:0.9", "few")]
)
def test_a_smoothed_line_lies_over_the_points(
    sweep_store: Store, smooth: str, project: str
) -> None:
    curves = curves_of(sweep_store, project)
    axes = draw(sweep_store, project, smooth=smooth)
    kind, _, size = smooth.partition(":")

    assert len(axes.lines) == 2 * len(curves)
    raw, smoothed = axes.lines[::2], axes.lines[1::2]
    for below, above, curve in zip(raw, smoothed, curves.values(), strict=True):
        loss = curve["loss"]
        expected = (
            debiased(loss, float(size)) if kind == "ema" else windowed(loss, int(size))
        )
        np.testing.assert_array_equal(below.get_ydata(), loss)
        assert above.get_ydata() == pytest.approx(expected, nan_ok=True)
        np.testing.assert_array_equal(above.get_xdata(), curve["step"])
        assert 0 < float(below.get_alpha() or 1) < 0.5


def test_of_300_runs_each_has_its_line(sweep_store: Store) -> None:
    curves = curves_of(sweep_store, "many")
    axes = draw(sweep_store, "many")
    faint = [one for one in axes.collections if isinstance(one, LineCollection)]
    segments = [np.asarray(part) for one in faint for part in one.get_segments()]

    assert len(segments) == len(curves) == 300
    for segment, curve in zip(segments, curves.values(), strict=True):
        known = np.isfinite(curve["loss"])
        points = np.column_stack([curve["step"], curve["loss"]])[known]
        np.testing.assert_array_equal(segment, points)
    best = sorted(curves, key=lambda name: float(np.nanmin(curves[name]["loss"])))[:5]
    named = {text.partition(":")[0] for text in texts(axes)}
    assert named == {"all runs", *best}


def check_group(
    axes: Axes, number: int, rows: Floats, statistics: tuple[Floats, Floats, Floats]
) -> None:
    """Line and band of a group: solid where all runs are, dashed where half of them are."""
    middle, low, high = statistics
    count = np.isfinite(rows).sum(axis=0)
    whole = count == len(rows)
    some = ~whole & (2 * count >= len(rows))
    assert whole[:3].all()
    assert some[-1]
    near = some | np.append(some[1:], False) | np.append(False, some[:-1])
    polygons = [one for one in axes.collections if isinstance(one, PolyCollection)]
    for offset, part, style in ((0, whole, "-"), (1, near, "--")):
        line, polygon = axes.lines[2 * number + offset], polygons[2 * number + offset]
        assert line.get_linestyle() == style
        expected = np.where(part, middle, np.nan)
        assert line.get_ydata() == pytest.approx(expected, nan_ok=True)
        assert line.get_xdata() == pytest.approx(np.arange(len(middle)))
        vertices = np.concatenate([path.vertices for path in polygon.get_paths()])
        assert set(vertices[:, 0]) == set(np.flatnonzero(part))
        for x in np.flatnonzero(part).tolist():
            edges = vertices[vertices[:, 0] == x, 1]
            found, rough = (edges.min(), edges.max()), 1e-3 * (high[x] - low[x])
            assert found == pytest.approx((low[x], high[x]), abs=rough)


@pytest.mark.parametrize("band", ["quartile", "minmax", "std", "ci"])
def test_a_groups_line_and_band_are_those_of_numpy(sweep_store: Store, band: str) -> None:
    curves = curves_of(sweep_store, "many")
    axes = draw(sweep_store, "many", group_by="depth", band=band)
    rows = np.full((300, 6), np.nan)
    for number, curve in enumerate(curves.values()):
        rows[number, : len(curve["loss"])] = curve["loss"]

    assert len(axes.lines) == 8
    for depth in range(4):
        group = rows[depth::4]
        if band in {"quartile", "minmax"}:
            shares = (0.5, 0.25, 0.75) if band == "quartile" else (0.5, 0, 1)
            statistics = tuple(np.nanquantile(group, shares, axis=0))
        else:
            mean, count = np.nanmean(group, axis=0), np.isfinite(group).sum(axis=0)
            half = np.nanstd(group, axis=0, ddof=1)
            if band == "ci":
                half = students(count - 1) * half / np.sqrt(count)
            statistics = (mean, mean - half, mean + half)
        check_group(axes, depth, group, statistics)
        ended = int(np.isfinite(group[:, -1]).sum())
        end = short_value(float(statistics[0][-1]), 3)
        assert f"depth {depth}: {end}, n={ended} of 75" in texts(axes)


def students(freedom: Any) -> Floats:
    """The 97.5 % points of Student's distribution, by Cornish's and Fisher's expansion."""
    z = 1.959964
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    found: Floats = z + first / freedom + second / freedom**2
    return found


def test_values_that_have_no_logarithm_are_left_out(sweep_store: Store) -> None:
    axes = draw(sweep_store, "mixed", logy=True, logx=True)

    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    for line, curve in zip(
        axes.lines, curves_of(sweep_store, "mixed").values(), strict=True
    ):
        later = curve["step"] > 0
        np.testing.assert_array_equal(line.get_xdata(), curve["step"][later])
        np.testing.assert_array_equal(line.get_ydata(), curve["loss"][later])
