"""The same selection chooses the same runs wherever it is given."""

import json
from pathlib import Path
from typing import Any, assert_type

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stepwell
from stepwell.store import (
    AmbiguousRunError,
    ConfigurationError,
    RunNotFoundError,
    Selection,
    Store,
    start_run,
)
from stepwell.store.values.where import Condition, condition_sql, parse_conditions

_parser = duckdb.connect(":memory:")

CONFIGS: dict[str, dict[str, Any]] = {
    "a": {"lr": 0.1, "opt": "adam", "model": {"depth": 2}, "flag": True, "none": None},
    "b": {"lr": 0.01, "opt": "sgd'%_", "model": {"depth": 4}, "flag": False},
    "c": {"lr": float("nan"), "opt": "größe ☃", "note": 'say "hi" \\', "sizes": [1, 2]},
    "d": {"lr": "1e-3", "model": "none", "two words": 1, "date": "2026-02-03"},
    "e": {},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("selection") / "runs.duckdb"
    for number, (name, config) in enumerate(CONFIGS.items()):
        tags = ["x", "y"][: number % 3]
        run = start_run("p", name, config, f"g{number % 2}", tags, store=path)
        run.finish("failed" if name == "c" else "finished")
    start_run("q", "a", {"lr": 5}, store=path).finish()
    return Store(path)


def names(store: Store, *runs: Any, **conditions: Any) -> str:
    return "".join(run.name for run in store.runs(*runs, **conditions))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("lr < 0.05", "db"),
        ("lr <= 0.01", "db"),
        ("lr > 0.05", "aa"),
        ("lr >= .1", "aa"),
        ("lr = 0.10", "a"),
        ("lr == 5.0", "a"),
        ("lr = 0.001", "d"),
        ("lr = '1e-3'", "d"),
        ("lr = '0.001'", ""),
        ("lr = nan", "c"),
        ("lr != 0.1", "aedcb"),
        ("lr>0.05 and opt=adam", "a"),
        ("lr > 0.05 AND opt != adam", "a"),
        ("opt = 'sgd\\'%_'", "b"),
        ('opt = "sgd\'%_"', "b"),
        ("opt ~ *%_", "b"),
        ("opt ~ s?d*", "b"),
        ("opt ~ ?", ""),
        ("opt ~ '*☃'", "c"),
        ("opt = 'größe ☃'", "c"),
        ("note = 'say \"hi\" \\\\'", "c"),
        ("sizes = '[1, 2]'", "c"),
        ("model.depth >= 4", "b"),
        ("model.depth != 2", "aedcb"),
        ("model = none", "d"),
        ("none = null", "a"),
        ("none = None", "a"),
        ("flag = true", "a"),
        ("flag = False", "b"),
        ("flag = 1", "a"),
        ("'two words' = 1", "d"),
        ("date > '2026-01-31'", "d"),
        ("date > '2026-02-04'", ""),
        ("absent = 1", ""),
        ("absent != 1", "aedcba"),
        ("absent < 1", ""),
        (["lr > 0.05", "opt = adam"], "a"),
        ('opt = "\' or true --"', ""),
    ],
)
def test_a_condition_chooses_by_the_configuration(
    store: Store, where: str, expected: str
) -> None:
    assert names(store, where=where) == expected
    assert names(store, Selection(where=where)) == expected


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), "aedcba"),
        (Selection(runs=("a",)), "aa"),
        (Selection(runs=("last", "b")), "ab"),
        (Selection(runs=("a",), project="p"), "a"),
        (Selection(runs=("a", "b"), limit=2), "ab"),
        (Selection(name="[ab]"), ""),
        (Selection(name="?"), "aedcba"),
        (Selection(name="%"), ""),
        (Selection(group="g1"), "db"),
        (Selection(tags=("x", "y")), "c"),
        (Selection(tags=("x",)), "ecb"),
        (Selection(status=("failed", "running")), "c"),
        (Selection(limit=0), ""),
        (Selection(limit=2, where=("lr < 1",)), "db"),
        ("b", "b"),
        (["b", "c"], "cb"),
        ([], ""),
        (None, "aedcba"),
    ],
)
def test_every_condition_of_a_selection_holds(
    store: Store, selection: Any, expected: str
) -> None:
    assert names(store, selection) == expected
    assert [row.run for row in store.overview(selection)] == store.runs(selection)


def test_conditions_choose_within_a_selection(store: Store) -> None:
    assert names(store, Selection(project="p", limit=3), where="lr < 1") == "d"
    assert names(store, ["a", "b"], limit=1) == "a"
    assert names(store, tag=["x", "y"]) == "c"
    assert names(store, status=["failed", "finished"], name="[c]") == ""
    assert names(store, Selection(project="p"), limit=2) == "ed"
    rows = store.overview(["a", "b"], project="p", where="lr < 1", limit=1)
    assert [row.run.name for row in rows] == ["b"]


def test_runs_are_meant_by_value_id_and_part(store: Store) -> None:
    newest, other, *_ = store.runs()

    assert [run.run_id for run in store.runs([newest, other])] == [
        newest.run_id,
        other.run_id,
    ]
    assert store.runs(newest) == [newest]
    assert store.runs([other.run_id[-8:], other.run_id.upper()]) == [other]
    with pytest.raises(AmbiguousRunError, match="fits 6 runs"):
        store.runs(newest.run_id[:6])


@pytest.mark.parametrize("reference", ["nobody", "", "\ud800", "'", "%"])
def test_a_reference_that_fits_no_run_is_said(store: Store, reference: str) -> None:
    with pytest.raises(RunNotFoundError, match="`stepwell ls` lists the runs"):
        store.runs(["a", reference])


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("", "bad condition ''.*expected KEY OP VALUE"),
        ("lr", "bad condition 'lr'.*expected KEY OP VALUE"),
        ("lr <", "expected KEY OP VALUE"),
        ("< 3", "expected KEY OP VALUE"),
        ("lr <> 3", "expected KEY OP VALUE"),
        ("lr = 'x", "expected KEY OP VALUE"),
        ("lr < O.1", "< compares with a number .* not with O.1"),
        ("lr >= nan", ">= compares with a number"),
        ("opt = adam w", "at 'w': join conditions by ' and ', and put .* in quotes"),
        ("lr < 1 or lr > 2", "at 'or lr > 2': join"),
        ("lr < 1 and", "at 'and': join"),
        ("lr < 1 and ", "expected KEY OP VALUE"),
        ("lr < 1 and x", "at 'x': expected KEY OP VALUE"),
        ("x" * 500, "bad condition 'x{79}…'"),
        ("a = \ud800", "not valid Unicode text"),
    ],
)
def test_a_bad_condition_says_what_is_expected(condition: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Selection(where=(condition,))


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text(alphabet="ab=!<>~'\"\\ .1and"))
def test_any_text_is_a_condition_or_a_configuration_error(text: str) -> None:
    try:
        found = parse_conditions(text)
    except ConfigurationError:
        pass
    else:
        assert found
        for condition in found:
            query = f"select {condition_sql(condition)}"
            assert len(_parser.extract_statements(query)) == 1


@given(
    key=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    operator=st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"]),
    value=st.text(st.characters(exclude_categories=["Cs"])),
    quote=st.sampled_from("'\""),
)
def test_what_stands_in_quotes_is_taken_as_it_is(
    key: str, operator: str, value: str, quote: str
) -> None:
    def quoted(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
        return f"{quote}{escaped}{quote}"

    text = f"{quoted(key)}{operator}{quoted(value)}"

    assert (
        parse_conditions(f"{text} and {text}")
        == (Condition(key, operator, value, is_quoted=True),) * 2
    )


@settings(max_examples=50, deadline=None)
@given(
    value=st.text(st.characters(exclude_categories=["Cs"])),
    operator=st.sampled_from(["=", "<", "~"]),
)
def test_no_value_breaks_the_query(store: Store, value: str, operator: str) -> None:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")

    found = store.runs(where=f"opt {operator} '{escaped}'")

    if operator == "=":
        assert [run.config.get("opt") for run in found] == [value] * len(found)


def test_a_selection_is_json_and_back() -> None:
    whole = Selection(
        runs=("a", "last"), project="p", group="g", tags=("x",), status=("failed",),
        name="d*", where=("lr < 0.01", "opt = 'ü'"), limit=3,
    )  # fmt: skip

    for selection in (Selection(), Selection(limit=0), whole):
        text = json.dumps(selection.to_json())
        assert Selection.from_json(json.loads(text)) == selection
    assert Selection().to_json() == {}
    assert Selection(tags="x").tags == ("x",)
    assert stepwell.Selection is Selection


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "stopped"}, "status must be one of"),
        ({"where": "lr <"}, "lr <"),
        ({"limit": -1}, "limit"),
        ({"name": 3}, "name"),
    ],
)
def test_a_changed_selection_is_checked_as_a_new_one(
    changes: dict[str, Any], words: str
) -> None:
    given = Selection(project="p", limit=3)
    assert given._replace(status="failed") == Selection(
        project="p", status="failed", limit=3
    )
    with pytest.raises(ConfigurationError, match=words):
        given._replace(**changes)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "must be an object"),
        ({"tag": "x"}, "has no tag; it has runs, project, group, tags"),
        ({"limit": -1}, "limit must be 0 or more"),
        ({"limit": "3"}, "limit must be 0 or more"),
        ({"limit": True}, "limit must be 0 or more"),
        ({"project": 3}, "project must be text"),
        ({"tags": 3}, "tags must be a list"),
        ({"tags": [3]}, "tags must be text"),
        ({"runs": [None]}, "runs must be references as text"),
        ({"status": "crash"}, "status must be one of running, .*, crashed, not 'crash'"),
        ({"where": ["lr"]}, "bad condition 'lr'"),
        ({"name": "\ud800"}, "not valid Unicode"),
    ],
)
def test_what_is_no_selection_is_refused(value: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Selection.from_json(value)


def test_runs_must_be_runs(store: Store) -> None:
    with pytest.raises(ConfigurationError, match="must be a Selection, or references"):
        store.runs(3)  # type: ignore[arg-type]


def test_a_store_without_runs_has_none(tmp_path: Path) -> None:
    empty = Store(tmp_path / "empty.duckdb")

    assert empty.runs(where="lr < 1") == []
    with pytest.raises(RunNotFoundError):
        empty.runs("last")


def test_a_text_or_any_sequence_of_texts_is_taken() -> None:
    """As much a test of the types, which the type checkers make."""
    one = Selection("a", tags="x", status="failed", where="lr < 1")
    several = Selection(["a"], tags=["x"], status=("failed",), where=["lr < 1"])

    assert one == several
    assert hash(one) == hash(several)
    assert assert_type(one.runs, tuple[str, ...]) == ("a",)
    assert assert_type(several.where, tuple[str, ...]) == ("lr < 1",)
    assert repr(one) == repr(several)
