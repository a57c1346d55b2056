"""What is drawn of a sweep, artist by artist, is what plain SQL and numpy say of it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from stepwell import viz
from stepwell.store import FigureSpec, Selection, Store
from stepwell.viz.base.numbers import short_value
from stepwell.viz.base.theme import LIGHT
from stepwell.viz.drawing.value_shades import shade_map
from stepwell.viz.figures.plot_kinds import draw_figure
from stepwell.viz.sweep_data.param_axis import MISSING

Floats = NDArray[np.float64]
Plot = Callable[..., Axes]

RUNS = """
select
    r.name, r.status, row_number() over (order by r.created_at) as place,
    min(p.value) filter (isfinite(p.value)) as best,
    arg_min(p.step, p.value) filter (isfinite(p.value)) as step,
    (r.config->>'lr')::double as lr, (r.config->>'depth')::double as depth,
    r.config->>'opt' as opt
from runs r left join points p on p.run_id = r.run_id and p.metric = 'loss'
where r.project = '{}' group by r.run_id, r.name, r.status, r.config, r.created_at
order by place
"""


@dataclass
class Rows:
    """The runs that have a finite loss, the oldest first, and how many have none."""

    names: list[str]
    status: list[str]
    place: Floats
    best: Floats
    lr: Floats
    depth: Floats
    step: list[int]
    opt: list[str | None]
    without: int

    def __len__(self) -> int:
        return len(self.names)

    @property
    def words(self) -> Floats:
        """Places of the optimizers on an axis of words."""
        return np.array([{"adam": 0.0, "sgd": 1.0}.get(str(o), np.nan) for o in self.opt])


def shares_of(values: Floats) -> Floats:
    """How good each is, from 0 to 1; the worst twentieth of many share the 0."""
    worst = np.percentile(values, 95) if len(values) >= 20 else values.max()
    if worst == values.min():
        return np.ones(len(values))
    if worst / values.min() >= 30:
        values, worst = np.log(values), np.log(worst)
    found: Floats = np.clip((values - worst) / (values.min() - worst), 0, 1)
    return found


def rows_of(store: Store, project: str) -> Rows:
    every = store.sql(RUNS.format(project)).fetchall()
    known = [row for row in every if row[3] is not None]
    columns: Any = ([row[number] for row in known] for number in range(8))
    name, status, place, best, step, lr, depth, opt = columns
    floats = (np.array(column, float) for column in (place, best, lr, depth))
    place, best, lr, depth = floats
    return Rows(name, status, place, best, lr, depth, step, opt, len(every) - len(known))


def draw(plot: Plot, store: Store, project: str, *more: str, **options: Any) -> Axes:
    axes = plot(store, "loss", *more, runs=Selection(project=project), **options)
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
    return axes


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def number(text: str) -> float:
    """The number that a text of ours stands for."""
    text = text.replace("\N{MINUS SIGN}", "-").replace("–", "0")
    factor = {"k": 1e3, "M": 1e6}.get(text[-1], 1.0)
    return float(text.rstrip("kM")) * factor


def dots(axes: Axes) -> list[PathCollection]:
    return [one for one in axes.collections if isinstance(one, PathCollection)]


@pytest.mark.parametrize("project", ["none", "nan"])
@pytest.mark.parametrize(
    ("plot", "keys"),
    [
        (viz.plot_curves, ()),
        (viz.plot_optimization_history, ()),
        (viz.plot_edf, ()),
        (viz.plot_slice, ("lr",)),
        (viz.plot_contour, ("lr", "lr")),
        (viz.plot_leaderboard, ()),
        (viz.plot_parallel_coordinate, ()),
        (viz.plot_param_importances, ()),
    ],
)
def test_without_a_value_nothing_is_drawn_but_a_word(
    sweep_store: Store, plot: Plot, keys: tuple[str, ...], project: str
) -> None:
    axes = draw(plot, sweep_store, project, *keys)

    assert not rows_of(sweep_store, project).names
    assert not axes.collections
    assert not axes.patches
    assert not axes.lines
    said = texts(axes)[0].replace("no runs", "no run")
    assert said.startswith(("no run with loss", "no parameter that varies"))


@pytest.mark.parametrize("project", ["one", "mixed", "few", "many"])
def test_the_history_has_a_dot_a_run_and_the_best_so_far(
    sweep_store: Store, project: str
) -> None:
    rows = rows_of(sweep_store, project)
    axes = draw(viz.plot_optimization_history, sweep_store, project)
    every, better = dots(axes)
    (line,) = axes.lines
    so_far = np.minimum.accumulate(rows.best)
    improves = rows.best < np.concatenate([[np.inf], so_far[:-1]])

    assert np.array_equal(every.get_offsets(), np.column_stack([rows.place, rows.best]))
    assert line.get_drawstyle() == "steps-post"
    assert np.array_equal(line.get_xdata(), [*rows.place, rows.place[-1] + 0.5])
    assert np.array_equal(line.get_ydata(), [*so_far, so_far[-1]])
    points = np.column_stack([rows.place, rows.best])[improves]
    assert np.array_equal(better.get_offsets(), points)
    name = rows.names[int(rows.best.argmin())]
    assert texts(axes) == [f"{name}: {short_value(rows.best.min())}"]
    going = rows.status.count("running")
    assert (f"{going} still running" in axes.get_title("right")) == bool(going)


@pytest.mark.parametrize(
    ("project", "key"),
    [("one", ()), ("mixed", "opt"), ("few", "depth"), ("many", "depth"), ("many", ())],
)
def test_the_distribution_climbs_by_a_share_a_run(
    sweep_store: Store, project: str, key: str | tuple[str, ...]
) -> None:
    rows = rows_of(sweep_store, project)
    axes = draw(viz.plot_edf, sweep_store, project, group_by=key)
    column: list[Any] = (
        list(getattr(rows, key)) if isinstance(key, str) else [0] * len(rows)
    )
    low, high = axes.get_xlim()
    groups = sorted({value for value in column if value is not None})
    groups += [None] * (None in column)

    assert len(axes.lines) == len(groups)
    for line, group in zip(axes.lines, groups, strict=True):
        values = np.sort(rows.best[[value == group for value in column]])
        assert np.array_equal(line.get_xdata(), [low, *values, high])
        shares = np.arange(1, len(values) + 1) / len(values)
        assert np.array_equal(line.get_ydata(), [0, *shares, 1])
        said = f"median {short_value(float(np.median(values)))}, n={len(values)}"
        assert any(text.endswith(said) for text in texts(axes))


def across(axes: Axes, x: Floats) -> Floats:
    """Where *x* stands, as shares of the axis."""
    places = np.log(x) if axes.get_xscale() == "log" else x
    low, high = np.log(axes.get_xlim()) if axes.get_xscale() == "log" else axes.get_xlim()
    found: Floats = (places - low) / (high - low)
    return found


def check_slice(axes: Axes, rows: Rows, x: Floats, bins: list[NDArray[np.bool_]]) -> None:
    """A dot a run in its shade, the median of each of *bins*, and a ring: the best."""
    low, high = axes.get_ylim()
    colors = shade_map(LIGHT)(0.15 + 0.85 * shares_of(rows.best))
    above, below, inside, ring = dots(axes)
    is_above, is_below = rows.best > high, rows.best < low
    for part, members in (
        (above, is_above),
        (below, is_below),
        (inside, ~(is_above | is_below)),
    ):
        order = np.argsort(-rows.best, kind="stable")
        order = order[members[order]]
        found = np.ma.getdata(part.get_offsets())
        assert found[:, 1] == pytest.approx(np.clip(rows.best, low, high)[order])
        # Dots of one x stand side by side.
        moved = across(axes, found[:, 0]) - across(axes, x[order])
        assert np.nan_to_num(np.abs(moved)).max(initial=0) < 0.06
        if part is inside:
            assert part.get_facecolor() == pytest.approx(colors[order])
    (line,) = axes.lines
    medians = [np.median(rows.best[members]) for members in bins]
    assert line.get_ydata() == pytest.approx(np.clip(medians, low, high))
    assert line.get_xdata() == pytest.approx([np.median(x[members]) for members in bins])
    best = int(rows.best.argmin())
    ((at, height),) = np.ma.getdata(ring.get_offsets())
    assert height == rows.best[best]
    assert abs(across(axes, np.array([at])) - across(axes, x[[best]])) < 0.06


def bins_of(x: Floats, most: int = 8) -> list[NDArray[np.bool_]]:
    """Of few values each by itself, of many so many parts of about as many runs."""
    known = x[np.isfinite(x)]
    if len(np.unique(known)) <= most:
        return [x == value for value in np.unique(known)]
    edges = [-np.inf, *np.quantile(known, np.arange(1, most) / most), np.inf]
    return [(x >= low) & (x < high) for low, high in pairwise(edges)]


@pytest.mark.parametrize(
    ("project", "key"),
    [
        ("one", "lr"),
        ("mixed", "lr"),
        ("mixed", "opt"),
        ("few", "depth"),
        ("many", "depth"),
        ("many", "lr"),
    ],
)
def test_a_slice_has_a_dot_a_run_and_the_medians(
    sweep_store: Store, project: str, key: str
) -> None:
    rows = rows_of(sweep_store, project)
    axes = draw(viz.plot_slice, sweep_store, project, key)
    x = rows.words if key == "opt" else getattr(rows, key)

    check_slice(axes, rows, x, bins_of(x))
    if key == "opt":
        labels = [label.get_text() for label in axes.get_xticklabels()]
        assert labels == ["adam", "sgd"]
    without = int(np.isnan(x).sum())
    assert (f"{without} without {key}" in axes.get_title("right")) == bool(without)


def check_map(axes: Axes, rows: Rows, x: Floats, y: Floats, most: int = 8) -> None:
    """A rectangle a cell, in the shade of its median, which it says where it has room."""
    columns, lines = bins_of(x, most), bins_of(y, most)
    cells = [rows.best[column & line] for line in lines for column in columns]
    medians = np.array([np.median(cell) if len(cell) else np.nan for cell in cells])
    shares = np.full(len(cells), np.nan)
    shares[np.isfinite(medians)] = shares_of(medians[np.isfinite(medians)])
    places = [(x, y) for y in range(len(lines)) for x in range(len(columns))]
    patches = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    said = {text.get_position(): text.get_text() for text in axes.texts}

    assert len(patches) == len(cells)
    for patch, place, median, share in zip(patches, places, medians, shares, strict=True):
        assert patch.get_center() == pytest.approx(place)
        if np.isnan(median):
            assert to_rgba(patch.get_facecolor()) == to_rgba(LIGHT.empty)
            assert said.get(place, "–") == "–"
        else:
            assert patch.get_facecolor() == pytest.approx(shade_map(LIGHT)(share), abs=0.01)
            if place in said:
                assert number(said[place]) == pytest.approx(median, rel=6e-3)


@pytest.mark.parametrize(
    ("project", "key"),
    [("one", "depth"), ("mixed", "opt"), ("few", "depth"), ("many", "depth")],
)
def test_a_map_has_a_cell_a_pair_in_the_shade_of_its_median(
    sweep_store: Store, project: str, key: str
) -> None:
    rows = rows_of(sweep_store, project)
    axes = draw(viz.plot_contour, sweep_store, project, "lr", key)

    check_map(axes, rows, rows.lr, rows.words if key == "opt" else rows.depth)
    assert texts(axes)


def check_board(axes: Axes, rows: Rows, shown: int) -> None:
    """The cells of the table by row and column, and the bars."""
    cells = sorted(
        (round(text.get_position()[1], 3), text.get_position()[0], text.get_text())
        for text in axes.texts
    )
    head, *lines = (
        [text for *_, text in line] for _, line in groupby(cells, key=lambda cell: cell[0])
    )
    order = np.argsort(rows.best, kind="stable")[:shown]
    assert len(lines) == len(order)
    for line, row in zip(lines, order.tolist(), strict=True):
        said = dict(zip(head, line, strict=True))
        best = rows.best[row]
        assert said["#"] == str(1 + int((rows.best < best).sum()))  # equal for ties
        assert said["run"] == rows.names[row]
        assert number(said["loss"]) == pytest.approx(best, rel=1e-3)
        delta = best - rows.best.min()
        assert number(said["Δ best"].lstrip("+")) == pytest.approx(delta, rel=6e-3)
        assert said["status"] == rows.status[row]
        assert said["step"] == str(rows.step[row])
        if "lr" in said:
            lr = pytest.approx(rows.lr[row], rel=2e-2, nan_ok=True)
            assert number(said["lr"].replace("–", "nan")) == lr
        if "opt" in said:
            assert said["opt"] == (rows.opt[row] or "–")
    bars = [p for p in axes.patches if isinstance(p, Rectangle) and p.get_height() < 0.1]
    grounds, lengths = bars[::2], bars[1::2]
    found = [a.get_width() / b.get_width() for a, b in zip(lengths, grounds, strict=True)]
    assert found == pytest.approx(shares_of(rows.best)[order])


@pytest.mark.parametrize("project", ["one", "mixed", "few", "many"])
def test_the_table_ranks_as_sql_does(sweep_store: Store, project: str) -> None:
    rows = rows_of(sweep_store, project)
    axes = draw(viz.plot_leaderboard, sweep_store, project, limit=8)

    check_board(axes, rows, 8)
    note = axes.get_title("right")
    assert (f"{rows.without} without a value" in note) == bool(rows.without)
    going = rows.status.count("running")
    assert (f"{going} still running" in note) == bool(going)


def check_lines(axes: Axes, rows: Rows, columns: list[Floats]) -> None:
    """A line a run through *columns*, places of 0 to 1, and through its loss."""
    order = np.argsort(rows.best, kind="stable")
    places = np.column_stack([*columns, shares_of(rows.best)])[order]
    places = np.where(np.isnan(places), MISSING, places)
    best = next(line for line in axes.lines if line.get_gid() == "best")
    parts = [one for one in axes.collections if isinstance(one, LineCollection)]
    parts.sort(key=lambda one: one.get_gid() != "strong runs")
    drawn = [
        best.get_xydata(),
        *(one for part in parts for one in part.get_segments()[::-1]),
    ]

    assert len(drawn) == len(rows)
    spread = 0.02 if len(rows) > 20 else 1e-9  # of axes with few values
    for line, expected in zip(drawn, places, strict=True):
        x, y = np.asarray(line).T
        at = [int(np.flatnonzero(x == place)[0]) for place in range(len(expected))]
        assert y[at] == pytest.approx(expected, abs=spread)
        assert y[at[-1]] == pytest.approx(expected[-1])
    palest = 0.25 if len(rows) <= 20 else 0.0
    shades = shade_map(LIGHT)(palest + (1 - palest) * shares_of(rows.best)[order[1:]])[
        :, :3
    ]
    colors = [np.asarray(part.get_colors())[::-1, :3] for part in parts]
    assert np.concatenate(colors) == pytest.approx(shades)


def scaled(x: Floats, *, is_log: bool) -> Floats:
    x = np.log(x) if is_log else x
    low, high = np.nanmin(x), np.nanmax(x)
    found: Floats = (x - low) / (high - low)
    return found


@pytest.mark.parametrize("project", ["mixed", "few", "many"])
def test_parallel_lines_cross_the_axes_where_the_runs_are(
    sweep_store: Store, project: str
) -> None:
    rows = rows_of(sweep_store, project)
    keys = ["lr", "opt"] if project == "mixed" else ["lr", "depth"]
    axes = draw(viz.plot_parallel_coordinate, sweep_store, project, params=keys)
    second = rows.words if project == "mixed" else scaled(rows.depth, is_log=False)

    check_lines(axes, rows, [scaled(rows.lr, is_log=True), second])
    best = int(rows.best.argmin())
    said = f"best: {rows.names[best]}, {short_value(rows.best[best])}"
    assert said in texts(axes)
    assert ("not set" in texts(axes)) == (project == "mixed")


SHARES = """
with runs_ as (RUNS), bins as (
    from (select best, BIN as bin from runs_ where best is not null) where bin is not null
), whole as (
    select count(*) as n, var_pop(best) * count(*) as rest from bins
), parts as (
    select count(*) as n, var_pop(best) * count(*) as rest from bins group by bin
)
select case when any_value(whole.n) <= count(*) then 0 else greatest(0, 1
    - sum(parts.rest) / (any_value(whole.n) - count(*))
    / (any_value(whole.rest) / (any_value(whole.n) - 1))) end
from parts, whole
"""


def explained(store: Store, project: str) -> dict[str, float]:
    """The explained share of each key, in SQL: of ten or fewer values, or of ten parts."""
    keys = {"lr": "lr", "depth": "depth", "seed": "(place - 1) % 5"}
    if project == "mixed":
        keys = {"lr": "lr", "opt": "opt"}
    elif project == "many":
        keys["lr"] = "ntile(10) over (order by lr)"
    query = SHARES.replace("RUNS", RUNS.format(project))
    return {
        key: float(store.sql(query.replace("BIN", bin_)).fetchall()[0][0])
        for key, bin_ in keys.items()
    }


def check_bars(axes: Axes, shares: dict[str, float]) -> None:
    """A bar a key, the longest at the top, and its share in words."""
    bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    keys = [label.get_text() for label in axes.get_yticklabels()]
    found = {key: bar.get_width() for key, bar in zip(keys, bars, strict=True)}

    assert found == pytest.approx(shares)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    said = [text.split()[0] for text in texts(axes) if "%" in text]
    assert said == [f"{share:.0%}" for share in found.values()]


@pytest.mark.parametrize("project", ["mixed", "few", "many"])
def test_bars_are_as_long_as_sql_explains(sweep_store: Store, project: str) -> None:
    axes = draw(viz.plot_param_importances, sweep_store, project)

    check_bars(axes, explained(sweep_store, project))
    runs = {"mixed": 6, "few": 6, "many": 300}[project]
    assert axes.get_title("right") == f"η² of loss, {runs} runs"
    assert any(text.startswith("only") for text in texts(axes)) == (runs < 30)


def test_the_page_of_a_sweep_has_the_numbers_of_its_parts(sweep_store: Store) -> None:
    spec = FigureSpec("report", Selection(project="many"), {"metric": "loss"})
    figure = draw_figure(sweep_store, spec)
    figure.draw_without_rendering()
    rows = rows_of(sweep_store, "many")
    parts = {axes.get_title("left"): axes for axes in figure.axes}

    for key in ("lr", "depth"):
        x = getattr(rows, key)
        check_slice(parts[key], rows, x, bins_of(x))
    check_map(parts["depth × lr"], rows, rows.depth, rows.lr, 5)
    check_bars(parts["Importance"], explained(sweep_store, "many"))
    check_board(parts["Best runs"], rows, 8)
    columns = [(scaled(rows.lr, is_log=True)), rows.depth / 3, (rows.place - 1) % 5 / 4]
    check_lines(parts["Parallel coordinates"], rows, columns)
    title, facts = (text.get_text() for text in figure.texts)
    assert title == "many · sweep depth × lr × seed"
    assert facts.split(" · metric")[0] == "300 runs · 297 finished · 2 running · 1 crashed"
    assert facts.split(" · ")[4:] == [
        "metric: best loss (lower is better)",
        f"best {rows.best.min():.4g}, {rows.names[int(rows.best.argmin())]}",
        f"median {np.median(rows.best):.4g}",
    ]
