"""What `init` makes of values whose own code raises when they are asked for a text."""

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import stepwell
from stepwell.store import (
    ConfigurationError,
    RunExistsError,
    RunNotFoundError,
    StoreWarning,
    open_store,
)
from stepwell.store.files.location import resolve
from stepwell.store.journal.files import list_journals


class NoText:
    """A value without a text and without attributes."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class Model(NoText):
    """A value without a text, but with attributes."""

    def __init__(self, depth: Any) -> None:
        self.depth = depth


class Word(str):
    """A text that refuses to be asked for itself."""

    __slots__ = ()
    __str__ = NoText.__str__
    __repr__ = NoText.__str__


@dataclass(repr=False)
class Fields(NoText):
    depth: int
    inner: Any


TOLD = [
    ({"bad": NoText()}, {"bad": "<NoText>"}, "bad has no text"),
    ({"a": {"b": {"c": NoText()}}}, {"a": {"b": {"c": "<NoText>"}}}, r"a\.b\.c has no"),
    ({"a": [1, (NoText(), 2)]}, {"a": [1, ["<NoText>", 2]]}, r"a\[1\]\[0\] has no text"),
    ({"a": {NoText()}}, {"a": ["<NoText>"]}, r"a\[0\] has no text"),
    ({"a": argparse.Namespace(b=NoText())}, {"a": {"b": "<NoText>"}}, r"a\.b has no"),
    ({"a": Model(3)}, {"a": "<Model>"}, "a has no text"),
    (Model(NoText()), {"depth": "<NoText>"}, "depth has no text"),
    (argparse.Namespace(a=NoText()), {"a": "<NoText>"}, "a has no text"),
    (Fields(2, NoText()), {"depth": 2, "inner": "<NoText>"}, "inner has no text"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "recorded", "said"), TOLD)
def test_a_value_without_a_text_is_recorded_by_its_type_and_said(
    store_path: Path, config: Any, recorded: dict[str, Any], said: str
) -> None:
    with pytest.warns(StoreWarning, match=said):
        run = stepwell.init(store=store_path, config=config)
    run.log({"loss": 1.0})
    run.finish()

    store = open_store(store_path)
    assert store.run(run.id).config == recorded
    assert store.run(run.id).status == "finished"
    assert store.summary(run.id)["loss"].count == 1


@pytest.mark.parametrize(
    ("config", "recorded"),
    [
        (NoText(), {}),
        (Model(3), {"depth": 3}),
        (Fields(2, {"a": 1}), {"depth": 2, "inner": {"a": 1}}),
        ({"word": Word("adam"), "in": [Word("sgd")]}, {"word": "adam", "in": ["sgd"]}),
        ({NoText(): 1, "lr": 0.5}, {"<NoText>": 1, "lr": 0.5}),
    ],
)
def test_a_value_whose_text_is_not_needed_is_never_asked_for_it(
    store_path: Path, config: Any, recorded: dict[str, Any]
) -> None:
    stepwell.init(store=store_path, name="one", config=config).finish()
    assert open_store(store_path).run("one").config == recorded


def test_many_values_without_a_text_are_said_in_one_warning(store_path: Path) -> None:
    config = {f"key_{number}": NoText() for number in range(100)}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        stepwell.init(store=store_path, name="one", config=config).finish()
    (warning,) = said
    assert "and 95 more" in str(warning.message)
    assert open_store(store_path).run("one").config == dict.fromkeys(config, "<NoText>")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": NoText()}, r"name must be a text, not NoText \(<NoText>\)"),
        ({"notes": NoText()}, r"notes must be a text, not NoText \(<NoText>\)"),
        ({"project": NoText()}, r"project must be a text, not NoText"),
        ({"group": NoText()}, r"group must be a text, not NoText"),
        ({"id": NoText()}, r"id must be a text, not NoText"),
        ({"tags": NoText()}, "tags must be a list of texts, not NoText"),
        ({"tags": ["a", NoText()]}, r"tags must be a text, not NoText \(<NoText>\)"),
        ({"tags": (NoText(),), "config": {"lr": 1}}, "tags must be a text, not NoText"),
    ],
)
def test_what_must_be_a_text_and_has_none_is_refused_and_begins_no_run(
    store_path: Path, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        stepwell.init(store=store_path, **arguments)
    assert not list_journals(resolve(store_path).journals)
    assert open_store(store_path).runs() == []

    stepwell.init(store=store_path, name="next").finish()
    assert [run.name for run in open_store(store_path).runs()] == ["next"]


def test_a_text_whose_code_raises_is_the_text_that_it_is(store_path: Path) -> None:
    given: dict[str, Any] = {
        name: Word(name) for name in ("name", "project", "group", "notes")
    }
    stepwell.init(store=store_path, tags=[Word("a"), "b"], **given).finish()
    (run,) = open_store(store_path).runs()
    assert run.tags == ("a", "b")
    assert (run.name, run.project, run.group_name, run.notes) == tuple(given)


def test_what_a_run_is_given_later_is_recorded_as_at_its_start(store_path: Path) -> None:
    with stepwell.init(store=store_path, name="one") as run:
        with pytest.warns(StoreWarning, match="late has no text"):
            run.config["late"] = NoText()
        with pytest.warns(StoreWarning, match="has no text"):
            run.config.update({"more": [NoText()], "lr": 0.5})
    found = open_store(store_path).run("one").config
    assert found == {"late": "<NoText>", "more": ["<NoText>"], "lr": 0.5}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"resume": NoText()}, "resume <NoText> is unknown; use"),
        ({"resume": Word("maybe")}, "resume <Word> is unknown; use"),
        ({"mode": NoText()}, "mode <NoText> is unknown; use"),
        ({"mode": Word("loud")}, "mode <Word> is unknown; use"),
        ({"rank": NoText()}, "rank must be from 0 to .*, not <NoText>"),
        ({"rank": Word("0")}, "rank must be from 0 to .*, not <Word>"),
        ({"durability": NoText()}, "durability <NoText> is unknown; use"),
        ({"durability": Word("hope")}, "durability <Word> is unknown; use"),
        ({"name": Word("\ud800")}, r"name '\\ud800' is not valid Unicode text"),
        ({"tags": ["a", Word("\ud800")]}, r"tags '\\ud800' is not valid Unicode text"),
        ({"store": NoText()}, "store must be a path or a URL, not NoText"),
        ({"store": Word("ftp://host/a")}, "store 'ftp://host/a' has an unknown scheme"),
    ],
)
def test_a_refusal_names_a_value_without_a_text_by_its_type(
    store_path: Path, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        stepwell.init(**{"store": store_path, **arguments})
    assert not list_journals(resolve(store_path).journals)


def test_an_id_and_a_store_whose_code_raises_are_the_texts_that_they_are(
    store_path: Path,
) -> None:
    store: Any = Word(store_path)
    with pytest.raises(RunNotFoundError, match="fold-3"):
        stepwell.init(store=store, id=Word("fold-3"), resume="must")
    stepwell.init(store=store, id=Word("fold-3")).finish()
    with pytest.raises(RunExistsError, match="fold-3"):
        stepwell.init(store=store, id=Word("fold-3"))
    stepwell.init(store=store, id="fold-3", resume=Word("must")).finish()
    (run,) = open_store(store_path).runs()
    assert run.name == "fold-3"


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda store: store.run(NoText()), "must be text, not <NoText>"),
        (lambda store: store.series("one", NoText()), "metric must be text, not <NoText>"),
        (lambda store: store.tag("one", NoText()), "several texts, not <NoText>"),
        (lambda store: store.rename("one", Word("a\nb")), "control characters, not <Word>"),
        (lambda store: store.sql("select 1", timeout=NoText()), "seconds, not <NoText>"),
        (lambda store: store.leaderboard("loss", goal=NoText()), "goal must .* <NoText>"),
        (lambda store: store.leaderboard("loss", goal=Word("up")), "goal must .* <Word>"),
        (lambda store: store.runs(limit=NoText()), "limit must .* <NoText>"),
        (lambda store: store.save_figure("a", NoText()), "FigureSpec, not <NoText>"),
        (lambda store: store.runs(status=[Word("on")]), "status must .* 'on'"),
    ],
)
def test_what_is_asked_of_a_store_with_no_text_is_refused_by_its_type(
    store_path: Path, ask: Callable[[Any], object], said: str
) -> None:
    stepwell.init(store=store_path, name="one").finish()
    with pytest.raises(ConfigurationError, match=said):
        ask(open_store(store_path))
