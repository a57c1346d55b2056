"""What is set on a run is recorded, or raises: nothing is lost silently."""

import copy
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import stepwell
from stepwell.store import ConfigurationError, Run, StoreWarning, open_store, start_run


@pytest.fixture
def run(store_path: Path) -> Iterator[Any]:
    with start_run(
        name="first", config={"lr": 0.1, "model": {"depth": 2}, "layers": [1]},
        tags="a", notes="old", store=store_path,
    ) as run:  # fmt: skip
        yield run


def stored(run: Run) -> dict[str, Any]:
    found = open_store(run.location).run(run.id)
    return {name: getattr(found, name) for name in ("name", "tags", "notes", "config")}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("notes", "x", "x"),
        ("notes", None, None),
        ("tags", ["b", "c", "b"], ("b", "c")),
        ("tags", "b", ("b",)),
        ("tags", (), ()),
        ("name", "second", "second"),
    ],
)
def test_an_attribute_is_recorded(run: Any, name: str, value: Any, expected: Any) -> None:
    setattr(run, name, value)
    assert getattr(run, name) == expected
    assert stored(run)[name] == expected


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("notes", 5, r"notes must be a text, not int \(5\)"),
        ("notes", b"x", "notes must be a text, not bytes"),
        ("notes", ["x"], "notes must be a text, not list"),
        ("tags", None, "tags must be a list of texts, not NoneType"),
        ("tags", 5, "tags must be a list of texts, not int"),
        ("tags", b"x", "tags must be a list of texts, not bytes"),
        ("tags", {"a": 1}, "tags must be a list of texts, not dict"),
        ("tags", ["a", None], "tags must be a text, not NoneType"),
        ("tags", [1.5], r"tags must be a text, not float \(1.5\)"),
    ],
)
def test_what_is_no_text_is_refused_by_name(
    run: Any, name: str, value: Any, said: str
) -> None:
    before = stored(run)
    with pytest.raises(ConfigurationError, match=said):
        setattr(run, name, value)
    assert stored(run) == before


def test_what_was_not_changed_is_said_in_good_grammar(run: Any) -> None:
    run.finish()
    changes: dict[str, Callable[[], object]] = {
        "its notes were not": lambda: setattr(run, "notes", "x"),
        "its tags were not": lambda: setattr(run, "tags", "x"),
        "its name was not": lambda: setattr(run, "name", "x"),
        r"its config \('lr'\) was not": lambda: run.config.update({"lr": 3}),
    }
    for said, change in changes.items():
        with pytest.warns(StoreWarning, match=said):
            change()


def test_tags_are_added_to_in_place(run: Any) -> None:
    run.tags += ("b", "a")
    run.add_tags("c")
    assert stored(run)["tags"] == run.tags == ("a", "b", "c")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\0b", "\ud800", 5, None])
def test_an_unusable_name_is_refused(run: Any, name: Any) -> None:
    with pytest.raises(ConfigurationError, match="name"):
        run.name = name
    assert run.name == "first"


@pytest.mark.parametrize(
    "name", "foo lr note tag config project rank id log finish summary group status".split()
)
def test_what_cannot_be_set_raises_and_names_what_can(run: Any, name: str) -> None:
    with pytest.raises(AttributeError, match=rf"{name} can't be set.* name, tags, notes"):
        setattr(run, name, {"x": 1})
    with pytest.raises((AttributeError, TypeError)):
        run.config |= {"x": 1}


def test_keys_of_the_config_are_attributes(run: Any) -> None:
    run.config.lr = 0.2
    run.config.new = {"a": [1]}
    assert (run.config.lr, run.config.new) == (0.2, {"a": [1]})
    assert stored(run)["config"] == run.config
    with pytest.raises(AttributeError, match="no 'absent'"):
        _ = run.config.absent
    assert not hasattr(run.config, "_missing")
    assert getattr(run.config, "absent", 3) == 3


@pytest.mark.parametrize("name", ["update", "keys", "items", "values", "get", "_values"])
def test_a_method_of_the_config_is_not_set(run: Any, name: str) -> None:
    with pytest.raises(AttributeError, match=rf"config\['{name}'\]"):
        setattr(run.config, name, 1)
    run.config[name] = 1
    assert stored(run)["config"][name] == 1


CHANGES: dict[str, Callable[[Any], object]] = {
    "del key": lambda config: config.__delitem__("lr"),
    "del attribute": lambda config: delattr(config, "lr"),
    "setdefault": lambda config: config.setdefault("x", 1),
    "pop": lambda config: config.pop("lr"),
    "|=": lambda config: config.__ior__({"x": 1}),
    "nested key": lambda config: config["model"].__setitem__("depth", 3),
    "nested attribute": lambda config: setattr(config.model, "depth", 3),
    "nested update": lambda config: config["model"].update(depth=3),
    "nested setdefault": lambda config: config["model"].setdefault("x", 3),
    "nested del": lambda config: config["model"].pop("depth"),
    "list append": lambda config: config["layers"].append(2),
    "list item": lambda config: config["layers"].__setitem__(0, 2),
    "list +=": lambda config: config["layers"].__iadd__([2]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_would_be_recorded_nowhere_raises(
    run: Any, change: Callable[[Any], object]
) -> None:
    before = dict(run.config)
    with pytest.raises((TypeError, AttributeError)):
        change(run.config)
    assert run.config == before == stored(run)["config"]


def test_copies_of_a_config_are_plain_and_lead_nowhere(run: Any) -> None:
    for made in (copy.deepcopy, copy.copy, lambda c: pickle.loads(pickle.dumps(c)), dict):
        other = made(run.config)
        assert other == run.config
        assert type(other) is dict
        other["lr"] = 9
    model = copy.deepcopy(run.config["model"])
    model["depth"] = 9
    assert json.loads(json.dumps(dict(run.config))) == run.config == stored(run)["config"]


@pytest.mark.parametrize("position", [(), ("by position",)])
def test_a_switch_of_others_is_no_parameter(run: Any, position: tuple[str, ...]) -> None:
    if position:
        run.config.update({"lr": 1}, True)
    else:
        run.config.update({"lr": 1}, allow_val_change=True, seed=3)
    assert stored(run)["config"]["lr"] == 1
    assert "allow_val_change" not in run.config
    assert "allow_val_change" not in stored(run)["config"]


def test_a_resumed_run_knows_its_tags_and_notes(store_path: Path) -> None:
    start_run(id="r", tags=["a"], notes="old", store=store_path).finish()
    with start_run(id="r", resume="must", store=store_path) as run:
        assert (run.tags, run.notes) == (("a",), "old")
        run.add_tags("b")
    assert stored(run)["tags"] == ("a", "b")
    assert stored(run)["notes"] == "old"


def test_what_a_joining_process_is_given_is_recorded(store_path: Path) -> None:
    with start_run(id="r", tags=["a"], store=store_path):
        other = start_run(
            id="r", resume="must", tags=["b"], notes="n", config={"x": 1}, store=store_path
        )
        other.finish()
    found = stored(other)
    assert (found["notes"], found["config"]) == ("n", {"x": 1})
    assert found["tags"] == other.tags == ("a", "b")


def test_texts_whose_code_raises_never_end_a_run(store_path: Path) -> None:
    class Bad:
        def __str__(self) -> str:
            raise RuntimeError("no")

        __repr__ = __str__

    bad: Any = Bad()
    run: Any = start_run(store=store_path)
    for give in (run.add_tags, run.set_notes):
        with pytest.raises(ConfigurationError, match="must be a text, not Bad"):
            give(bad)
    run.finish("failed", bad)
    assert stepwell.open_store(store_path).run(run.id).exit_message == "<Bad>"
