"""A configuration becomes plain values, whatever it is of; nothing is lost silently."""

import argparse
import collections
import enum
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import stepwell
from stepwell.store import ConfigurationError, Selection, StoreWarning, open_store
from stepwell.store.inputs import json_values
from stepwell.store.inputs.json_values import plain_config
from stepwell.store.inputs.run_config import flatten

Rows = Callable[..., list[tuple[Any, ...]]]


class Size(NamedTuple):
    wide: int
    high: int


class Kind(enum.Enum):
    ADAM = "adam"
    FP16 = 16


class Level(enum.IntEnum):
    HIGH = 3


class Holder:
    depth = 4
    names = ("a",)
    _hidden = 1

    def __init__(self) -> None:
        self.width = 8


class Busy:
    def __init__(self) -> None:
        self.rows = list(range(100_000))

    def __len__(self) -> int:
        return len(self.rows)


class Duck:
    """What gives its values as a dict does, and is none."""

    def keys(self) -> list[str]:
        return ["lr"]

    def __getitem__(self, key: str) -> float:
        return {"lr": 0.5}[key]

    def __repr__(self) -> str:
        return "duck"


@dataclass
class Model:
    depth: int
    inner: Any = None


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (argparse.Namespace(depth=3), {"depth": 3}),
        (argparse.Namespace(m=argparse.Namespace(d=3)), {"m": {"d": 3}}),
        (SimpleNamespace(a=[SimpleNamespace(c=1)]), {"a": [{"c": 1}]}),
        (Model(2, argparse.Namespace(x=[1])), {"depth": 2, "inner": {"x": [1]}}),
        (Size(2, 3), {"wide": 2, "high": 3}),
        ([Size(2, 3)], [{"wide": 2, "high": 3}]),
        (Holder(), {"depth": 4, "names": ["a"], "width": 8}),
        (Duck(), {"lr": 0.5}),
        (Kind.ADAM, "adam"),
        (Kind.FP16, "FP16"),
        (Level.HIGH, 3),
        ({Kind.ADAM: 1}, {"Kind.ADAM": 1}),
        (PurePosixPath("a/b"), "a/b"),
        (collections.deque([1, 2]), [1, 2]),
        (collections.ChainMap({"a": 1}, {"b": 2}), {"b": 2, "a": 1}),
        (range(10**9), "range(0, 1000000000)"),
        (np.array(5.0), 5.0),
        (np.ma.array([1.0, 2.0], mask=[True, False]), [None, 2.0]),
    ],
)  # fmt: skip
def test_what_has_parts_becomes_its_parts(value: object, plain: object) -> None:
    assert plain_config({"key": value, "after": 1}) == {"key": plain, "after": 1}


def test_what_does_more_than_hold_values_becomes_its_text() -> None:
    found = plain_config({"data": Busy(), "function": math.sqrt, "kind": Busy})
    assert found["data"].startswith("<")
    assert all(isinstance(value, str) for value in found.values())


@pytest.mark.parametrize(
    "config", [Holder(), Holder, Duck(), SimpleNamespace(lr=0.5), Size(1, 2), argparse]
)
def test_a_whole_config_may_be_any_of_them(config: object) -> None:
    found = plain_config(config)
    assert found
    assert not any(key.startswith("_") for key in found)


@pytest.mark.parametrize("config", [5, "lr=1", [1], (1,), {1}, math.sqrt, lambda: 1, 2.5])
def test_what_has_no_keys_is_refused(config: object) -> None:
    with pytest.raises(ConfigurationError, match="must be a dict or a namespace"):
        plain_config(config)


def test_fields_of_attrs_are_read() -> None:
    attrs = pytest.importorskip("attrs")
    made = attrs.make_class("Made", ["depth", "inner"])
    assert plain_config(made(3, made(2, None)))["inner"]["depth"] == 2
    assert plain_config({"m": made(3, 1)}) == {"m": {"depth": 3, "inner": 1}}


def test_omegaconf_gives_its_values() -> None:
    omegaconf = pytest.importorskip("omegaconf")
    config = omegaconf.OmegaConf.create(
        {
            "model": {"depth": 3, "width": "${model.depth}", "layers": [1, "${lr}"]},
            "lr": 0.1,
            "seed": "???",
            "nested": {"must": "???", "wrong": "${no.such}", "kept": 1},
            "list": [1, "???", {"a": "${lr}"}],
        }
    )
    with pytest.warns(StoreWarning, match=r"seed can't be read .*nested\.must .*list\[1\]"):
        found = plain_config(config)
    assert found == {
        "model": {"depth": 3, "width": 3, "layers": [1, 0.1]},
        "lr": 0.1,
        "nested": {"kept": 1},
        "list": [1, None, {"a": 0.1}],
    }
    assert plain_config({"cfg": config.model}) == {"cfg": found["model"]}
    assert plain_config({"cfg": config.model.layers}) == {"cfg": [1, 0.1]}


def hostile(name: str) -> Any:
    def fail(*_: object) -> Any:
        raise RuntimeError("no \ud800 such")

    known: dict[str, Any] = {name: fail}
    if name in {"keys", "items"}:
        return type("Hostile", (dict,), known)({"inner": 1})
    if name in {"__class__", "__dict__", "item", "tolist"}:
        known[name] = property(fail)
    return type("Hostile", (), known)()


@pytest.mark.parametrize(
    "name",
    "__str__ __repr__ __getattr__ __getattribute__ __class__ __dict__ keys items item"
    " tolist __eq__ __hash__ __len__ __bool__ __format__".split(),
)
def test_no_code_of_a_value_stops_a_run(name: str) -> None:
    config = {"before": 1, "bad": hostile(name), "in": [{"a": hostile(name)}], "after": 2}
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        found = plain_config(config)
        if name != "items":
            plain_config(hostile(name)) if name != "__class__" else None
    assert (found["before"], found["after"]) == (1, 2)
    flatten(found)


def test_a_key_without_a_text_is_recorded_by_its_type() -> None:
    class Key:
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert plain_config({Key(): 1, "a": 2}) == {"<Key>": 1, "a": 2}


def cyclic_dict() -> Any:
    config: dict[str, Any] = {"lr": 0.1}
    config["self"] = config
    return config


def cyclic_list() -> Any:
    config: dict[str, Any] = {"lr": 0.1, "list": []}
    config["list"] += [config["list"], {"up": config}] * 8
    return config


def cyclic_namespace() -> Any:
    config = argparse.Namespace(lr=0.1, args=SimpleNamespace())
    config.args.parent = config
    return config


@pytest.mark.parametrize("make", [cyclic_dict, cyclic_list, cyclic_namespace])
def test_a_config_that_holds_itself_is_said_and_recorded(make: Callable[[], Any]) -> None:
    with pytest.warns(StoreWarning, match="leads back to what it is part of"):
        assert plain_config(make())["lr"] == 0.1


def test_a_config_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_values, "_MOST", 5000)
    deep: dict[str, Any] = {"lr": 0.1}
    for _ in range(200):
        deep = {"lr": 0.1, "in": deep}
    with pytest.warns(StoreWarning, match="nested more than 64 levels deep"):
        assert plain_config(deep)["in"]["in"]["lr"] == 0.1
    twice: list[Any] = [1]
    for _ in range(40):
        twice = [twice, twice]
    with pytest.warns(StoreWarning, match="beyond 5,000 values"):
        assert plain_config({"lr": 0.1, "bomb": twice})["lr"] == 0.1


@pytest.mark.parametrize("value", [np.ma.masked, np.ma.array(5.0, mask=True)])
def test_a_masked_value_is_none(value: object) -> None:
    with pytest.warns(StoreWarning, match="config: a is masked"):
        assert plain_config({"a": value}) == {"a": None}


def test_the_missing_values_of_pandas_are_none() -> None:
    pandas = pytest.importorskip("pandas")
    for value in (pandas.NA, pandas.NaT):
        with pytest.warns(StoreWarning, match=f"config: a is {value}"):
            assert plain_config({"a": value}) == {"a": None}


@pytest.fixture
def run(store_path: Path) -> Iterator[stepwell.Run]:
    with stepwell.init(store=store_path) as run:
        yield run


CLASHING = [
    ({"a.b": 1, "a": {"b": 2}}, {"a.b": 1, "a.b#2": 2}),
    ({"a": {"b": 2}, "a.b": 1}, {"a.b": 2, "a.b#2": 1}),
    ({"a": {"b.c": 1, "b": {"c": 2}}}, {"a.b.c": 1, "a.b.c#2": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("config", "flat"), CLASHING)
def test_two_keys_of_one_name_are_both_there(
    store_path: Path, rows: Rows, config: dict[str, Any], flat: dict[str, int]
) -> None:
    with pytest.warns(StoreWarning, match="is the name of two keys"):
        run = stepwell.init(name="both", store=store_path, config=config)
    run.finish()

    assert dict(rows("select key, number from params")) == flat
    store = open_store(store_path)
    assert store.run("both").config == config
    for key, value in flat.items():
        assert len(store.runs(Selection(where=f"{key} = {value}"))) == 1
    assert {row.key for row in store.compare("both", "both").config} == flat.keys()


def test_a_clash_is_said_when_it_comes_to_be(run: stepwell.Run) -> None:
    run.config["a"] = {"b": 1}
    with pytest.warns(StoreWarning, match=r"'a\.b' is the name of two keys"):
        run.config["a.b"] = 2
    run.config["c"] = 3  # and not again
    assert run.config == {"a": {"b": 1}, "a.b": 2, "c": 3}


def test_keys_of_one_text_are_both_kept() -> None:
    with pytest.warns(StoreWarning, match="1 is there twice; the second is '1#2'"):
        assert plain_config({1: "a", "1": "b"}) == {"1": "a", "1#2": "b"}


def test_nested_namespaces_can_be_asked_for(store_path: Path) -> None:
    config = argparse.Namespace(model=argparse.Namespace(depth=3), lr=0.1)
    stepwell.init(name="x", config=config, store=store_path).finish()
    found = open_store(store_path).runs(Selection(where="model.depth >= 3"))
    assert [run.name for run in found] == ["x"]
