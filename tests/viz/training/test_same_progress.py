"""The window, the terminal's two views and the picture say the same of one run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stepwell.store import Run, Store, start_run
from stepwell.viz.base.progress import NO_PAST, Past, Progress
from stepwell.viz.base.stored_progress import past_of
from stepwell.viz.config.terminal_config import VisualizationConfig
from stepwell.viz.figures.run_figure import layout_of_groups, metric_groups
from stepwell.viz.live.page import LivePage, columns_of
from stepwell.viz.live.run_follower import Feed
from stepwell.viz.run_page.page import Page, prepare
from stepwell.viz.terminal.live_display import Display, Subject
from stepwell.viz.terminal.render.view import TerminalView
from stepwell.viz.terminal.view_of_run import RunFollower

AGE = 1000.0  # seconds since the runs below began; their steps are half a second apart
STEPS = 120


class Said(NamedTuple):
    """What a front end says of a run: shares of experts by name, and plain metrics."""

    progress: Progress
    experts: dict[str, float]
    plain: set[str]


def of_page(page: Page) -> Said:
    maps = [panel.experts for panel in page.panels if panel.experts is not None]
    experts = {
        label: share
        for one in maps
        for label, share in zip(one.labels, one.current, strict=True)
    }
    plain = {curve.metric for panel in page.panels for curve in panel.curves}
    return Said(page.header.progress, experts, plain)


def of_view(view: TerminalView) -> Said:
    load = view.experts
    experts = {} if load is None else dict(zip(load.labels, load.shares, strict=True))
    return Said(view.progress, experts, {row.name for row in view.rows or ()})


def in_picture(store: Store, run_id: str) -> Said:
    config = layout(store, run_id)
    return of_page(prepare(store, run_id, config))


def in_window(store: Store, run_id: str) -> Said:
    config = layout(store, run_id)
    names = [metric.metric_name for metric in config.metrics]
    live = LivePage(config, Feed(store, run_id, names, columns_of(config)))
    live.read()
    live.panels = {index: live.panel(index) for index in live.cells}
    return of_page(live.page((10.0, 8.0)))


def in_watch(store: Store, run_id: str) -> Said:
    follower = RunFollower(store, run_id)
    follower.look(0.0)
    return of_view(follower.view())


def layout(store: Store, run_id: str) -> Any:
    summary = store.summary(run_id)
    return layout_of_groups(metric_groups(list(summary)), summary)


class NoScreen:
    """Shows nothing; the test asks for the view."""

    period = 1e6

    def show(self, view: TerminalView) -> None: ...

    def close(self, view: TerminalView) -> None: ...


def in_terminal(run: dict[str, Any], past: Past = NO_PAST) -> Said:
    """What the terminal visualizer says, told the run's steps when they were made."""
    now = 0.0
    subject = Subject("t", "n", "i", run.get("config", {}), past)
    config = VisualizationConfig(show_system_metrics=False, table_update_interval=1)
    display = Display(subject, config, NoScreen(), clock=lambda: now)
    for step, metrics in run["points"]:
        now = step * 0.5
        display.say(step, metrics)
        display.tick()
    return of_view(display.view(run.get("status", "finished")))


def points(first: int = 0, *, experts: tuple[str, ...] = ()) -> list[tuple[int, Any]]:
    def loads(step: int) -> dict[str, float]:
        return {name: 1.0 + number * step / 9 for number, name in enumerate(experts)}

    return [
        (step, {"train_loss": 1 / (step + 1), "batch_size": 32} | loads(step))
        for step in range(first, first + STEPS)
    ]


NUMBERED = tuple(f"expert_{number}" for number in range(4))
NAMED = tuple(f"expert_utilization/{name}" for name in ("vision", "text", "code", "maths"))
LAYERS = ("layer0/expert_0", "layer0/expert_1", "layer1/expert_0", "layer1/expert_1")
RUNS: dict[str, tuple[dict[str, Any], tuple[str, ...], int | None, int]] = {
    # config, experts, the total, the first step
    "total": ({"total_steps": 200}, (), 200, 0),
    "limit": ({"max_steps": 200}, (), 200, 0),
    "float": ({"max_steps": 2e2}, (), 200, 0),
    "no limit": ({"max_steps": -1, "epochs": 10}, (), None, 0),
    "without": ({}, (), None, 0),
    "epochs": ({"epochs": 4, "steps_per_epoch": 50}, (), 200, 0),
    "nested": ({"trainer": {"max_epochs": 2, "steps_per_epoch": 60}}, (), 120, 0),
    "from one": ({"max_steps": 120}, (), 120, 1),
    "numbered": ({"max_steps": 100}, NUMBERED, 100, 0),
    "named": ({}, NAMED, None, 0),
    "layers": ({}, LAYERS, None, 0),
    "two": ({}, NUMBERED[:2], None, 0),
    "lone": ({}, NUMBERED[:1], None, 0),
    "lone name": ({}, NAMED[:1], None, 0),
}


def _as(run: dict[str, Any], status: str) -> dict[str, Any]:
    return run | {"name": f"{run['name']} {status}", "status": status}


@pytest.fixture(scope="module")
def runs() -> list[dict[str, Any]]:
    made = []
    for name, (config, experts, _, first) in RUNS.items():
        facts = {"config": config, "points": points(first, experts=experts), "age": AGE}
        made.append({"name": name, "status": "finished"} | facts)
    twins = [run for run in made if run["name"] in {"total", "without"}]
    for status in ("running", "crashed"):
        made += [_as(run, status) for run in twins]
    return made


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory,
    make_runs: Callable[..., Store],
    runs: list[dict[str, Any]],
) -> Store:
    return make_runs(tmp_path_factory.mktemp("progress") / "runs.duckdb", runs)


NAMES = [*RUNS, *(f"{n} {s}" for n in ("total", "without") for s in ("running", "crashed"))]


@pytest.mark.parametrize("name", NAMES)
def test_all_front_ends_say_the_same(
    name: str, store: Store, runs: list[dict[str, Any]]
) -> None:
    run = next(run for run in runs if run["name"] == name)
    run_id = store.run(name).run_id
    said = [
        in_picture(store, run_id),
        in_window(store, run_id),
        in_watch(store, run_id),
        in_terminal(run),
    ]

    _, experts, total, first = RUNS[name.removesuffix(" running").removesuffix(" crashed")]
    done = STEPS if first == 0 else first + STEPS - 1
    for one in said:
        progress = one.progress
        assert (progress.done, progress.total) == (done, total)
        assert progress.rate == pytest.approx(2.0)
        assert progress.samples == pytest.approx(64.0)
        assert progress.share == (None if total is None else min(done / total, 1.0))
        left = (200 - STEPS) / 2.0 if name == "total running" else None
        assert progress.remaining == (left if left is None else pytest.approx(left))
        assert progress.is_running == name.endswith("running")
        assert one.experts == pytest.approx(said[0].experts)
        lone = set(experts) if len(experts) < 2 else set()
        assert one.plain - {"batch_size"} == {"train_loss"} | lone
    assert len(said[0].experts) == (0 if len(experts) < 2 else len(experts))
    ended = [one.progress.elapsed for one in said[1:3]]
    assert ended[0] == pytest.approx(ended[1], abs=30)


@pytest.fixture
def resumed(store_path: Path) -> Iterator[Run]:
    with start_run(id="again", config={"max_steps": 20}, store=store_path) as run:
        for step in range(10):
            run.log({"loss": 1.0}, step=step)
    with start_run(id="again", resume="must", store=store_path) as run:
        yield run


@pytest.mark.parametrize("step", [None, 10, 5], ids=["nothing yet", "on", "back"])
def test_a_resumed_run_goes_on_where_it_was(resumed: Run, step: int | None) -> None:
    past = past_of(resumed, 0.0)
    more = [] if step is None else [(step, {"loss": 0.5})]
    for number, metrics in more:
        resumed.log(metrics, step=number)
    now = 0.0
    subject = Subject("t", "n", "i", resumed.config, past)
    display = Display(subject, VisualizationConfig(), NoScreen(), clock=lambda: now)
    for number, metrics in more:
        now = 1.0
        display.say(number, metrics)
        display.tick()
    shown = of_view(display.view()).progress
    store = resumed.store()
    stored = [ask(store, resumed.id).progress for ask in (in_picture, in_window, in_watch)]

    for one in (shown, *stored):
        assert (one.done, one.total) == (10 if step is None else step + 1, 20)
        assert one.is_running
    assert all(one.rate == stored[0].rate for one in stored)
    if step is None:
        assert shown.rate == stored[0].rate
    assert past.seconds <= store.run(resumed.id).duration_seconds


def test_a_new_run_is_known_without_a_question_to_its_store(store_path: Path) -> None:
    with start_run(store=store_path) as run:
        recorder = run.recorder()
        recorder.log({"loss": 1.0}, step=5)
        past = past_of(run, recorder.seconds)
        age = run.store().run(run.id).duration_seconds
    assert past == Past(past.seconds)
    assert 0 < past.seconds <= age + 60.0
