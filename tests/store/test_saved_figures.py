"""Figures are kept by name: what they ask, not what it looked like."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.store import (
    ConfigurationError,
    FigureNotFoundError,
    FigureSpec,
    RunNotFoundError,
    Selection,
    Store,
    StoreClosedError,
    open_store,
    start_run,
)

CURVES = FigureSpec(
    "curves",
    Selection(project="digits", where=("lr < 0.1",)),
    {"metric": "val_loss", "smooth": "ema:0.9", "logy": True},
    {"theme": "dark"},
)


@pytest.fixture
def store(store_path: Path) -> Store:
    return open_store(store_path)


def record(store: Store, name: str, **fields: Any) -> str:
    with start_run(name=name, store=store.location, **fields) as run:
        run.log({"loss": 1.0})
    return run.id


def test_a_figure_is_kept_by_name(store: Store) -> None:
    before = datetime.now(UTC)
    saved = store.save_figure("validation", CURVES)

    found = Store(store.location).figure("validation")

    assert found == saved
    assert found.spec == CURVES
    assert before <= found.saved_at <= datetime.now(UTC)


def test_figures_are_listed_by_name(store: Store) -> None:
    for name in ("beta", "alpha", 'ä figure\'s "name"'):
        store.save_figure(name, FigureSpec("run"))

    assert [figure.name for figure in store.figures()] == [
        "alpha",
        "beta",
        'ä figure\'s "name"',
    ]


def test_saving_it_again_replaces_it(store: Store) -> None:
    store.save_figure("validation", FigureSpec("run"))
    store.save_figure("validation", CURVES)

    assert [figure.spec for figure in store.figures()] == [CURVES]


def test_a_removed_figure_is_gone(store: Store) -> None:
    store.save_figure("a", CURVES)
    store.save_figure("b", CURVES)
    store.remove_figure("a")

    assert [figure.name for figure in store.figures()] == ["b"]


def test_a_removed_figure_can_be_saved_anew(store: Store) -> None:
    for _ in range(3):
        store.save_figure("a", CURVES)
        store.remove_figure("a")
    store.save_figure("a", CURVES)

    assert [figure.name for figure in store.figures()] == ["a"]


def test_an_unknown_name_suggests_the_nearest(store: Store) -> None:
    store.save_figure("validation", CURVES)

    with pytest.raises(FigureNotFoundError, match=r"'validaton'.*'validation'"):
        store.figure("validaton")
    with pytest.raises(FigureNotFoundError, match="figure list"):
        store.remove_figure("something else")


def test_a_pinned_figure_keeps_to_the_runs_of_that_day(store: Store) -> None:
    ids = {record(store, name, project="digits") for name in "ab"}
    record(store, "other")
    spec = FigureSpec("curves", Selection(project="digits"), {"metric": "loss"})
    store.save_figure("pinned", spec, pin=True)
    store.save_figure("following", spec)
    late = record(store, "late", project="digits")

    def run_ids(name: str) -> set[str]:
        return {run.run_id for run in store.runs(store.figure(name).spec.selection)}

    assert run_ids("pinned") == ids
    assert run_ids("following") == ids | {late}
    assert store.figure("pinned").spec.runs == spec.runs  # it still says what was meant


def test_a_run_that_is_going_on_can_be_pinned(store: Store) -> None:
    run = start_run(name="live", store=store.location)
    run.log({"loss": 1.0})
    store.save_figure("live", FigureSpec("run", Selection(runs=("live",))), pin=True)
    run.log({"loss": 2.0})

    assert store.figure("live").spec.pinned == (run.id,)
    run.finish()


def test_without_a_run_nothing_is_pinned(store: Store) -> None:
    with pytest.raises(ConfigurationError, match="no run fits"):
        store.save_figure("a", FigureSpec("run", Selection(project="nobody")), pin=True)
    with pytest.raises(RunNotFoundError, match="nobody"):
        store.save_figure("a", FigureSpec("run", Selection(runs=("nobody",))), pin=True)
    assert store.figures() == []


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201, "a.png", "B.SVG", "\ud800"])
def test_a_name_that_cannot_be_used_is_refused(store: Store, name: str) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        store.save_figure(name, CURVES)


def test_figures_are_there_for_sql(store: Store) -> None:
    store.save_figure("validation", CURVES)

    query = "select name, kind, spec->>'$.options.metric', saved_at is null from figures"
    assert store.sql(query).fetchall() == [("validation", "curves", "val_loss", False)]


def test_a_figure_that_cannot_be_read_is_named(store: Store) -> None:
    store.save_figure("odd", CURVES)
    with duckdb.connect(str(store.location)) as connection:
        connection.execute('update figures set spec = \'{"kind": "curves", "new": 1}\'')

    with pytest.raises(ConfigurationError, match=r"'odd'.*has no new"):
        store.figure("odd")
    store.save_figure("odd", CURVES)  # heals it
    assert store.figure("odd").spec == CURVES


def test_a_closed_store_keeps_nothing(store: Store) -> None:
    store.close()

    with pytest.raises(StoreClosedError):
        store.save_figure("a", CURVES)


def test_two_handles_see_each_others_figures(store: Store, store_path: Path) -> None:
    other = open_store(store_path)
    other.save_figure("a", CURVES)
    store.remove_figure("a")

    assert other.figures() == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
TEXTS = st.text(st.characters(codec="utf-8"))
SELECTIONS = st.builds(
    Selection,
    runs=st.lists(st.sampled_from(["last", "a", "01"]), max_size=2).map(tuple),
    project=st.none() | TEXTS,
    group=st.none() | TEXTS,
    name=st.none() | TEXTS,
    status=st.lists(st.sampled_from(["failed", "running"]), max_size=2).map(tuple),
    tags=st.lists(st.sampled_from(["x", "y"]), max_size=2).map(tuple),
    where=st.sampled_from([(), ("lr < 0.01",), ("a = 'b c'", "d ~ e*")]),
    limit=st.none() | st.integers(0, 10),
)
SPECS = st.builds(
    FigureSpec,
    kind=st.sampled_from(["run", "curves"]),
    runs=SELECTIONS,
    options=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), JSON),
    style=st.dictionaries(st.sampled_from(["theme", "size"]), JSON),
    pinned=st.none() | st.just(("01",)),
)


@given(SPECS)
def test_a_spec_survives_json(spec: FigureSpec) -> None:
    assert FigureSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "an object"),
        ([], "an object"),
        ({}, "needs a kind"),
        ({"kind": ""}, "kind is empty"),
        ({"kind": 3}, "kind must be text"),
        ({"kind": "run", "colour": 1}, "has no colour; it has kind, runs"),
        ({"kind": "run", "runs": "last"}, "selection must be an object"),
        ({"kind": "run", "runs": {"where": "lr <"}}, "bad condition"),
        ({"kind": "run", "options": [1]}, "options must be a mapping"),
        ({"kind": "run", "style": None}, "style must be a mapping"),
        ({"kind": "run", "pinned": []}, "needs the ids"),
        ({"kind": "run", "pinned": "01"}, "needs the ids"),
        ({"kind": "run", "pinned": [1]}, "must be text"),
    ],
)
def test_what_is_no_figure_is_refused_with_what_would_be(value: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        FigureSpec.from_json(value)


@pytest.mark.parametrize("value", [{1, 2}, math.nan, object(), "\ud800", Path()])
def test_an_option_that_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ConfigurationError, match="options must be plain values"):
        FigureSpec("curves", options={"a": value})


def test_tuples_become_lists_and_later_changes_have_no_effect() -> None:
    options: dict[str, Any] = {"metrics": ("a", "b")}
    spec = FigureSpec("curves", options=options)
    options["metrics"] = ()

    assert spec.options == {"metrics": ["a", "b"]}
