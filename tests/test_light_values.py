"""Values are data classes in every way, and cost little until they are used."""

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from stepwell.store import MetricSummary, Selection, start_run
from stepwell.store._identity import as_run_id, as_uuid
from stepwell.store._light_dataclass import dataclass, field, replace

Output = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Light:
    """Some fields."""

    name: str
    sizes: tuple[int, ...] = (1, 2)
    rest: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        assert isinstance(self.name, str)

    @property
    def total(self) -> int:
        return sum(self.sizes)


@dataclasses.dataclass(frozen=True, slots=True)
class Usual:
    """Some fields."""

    name: str
    sizes: tuple[int, ...] = (1, 2)
    rest: list[int] = dataclasses.field(default_factory=list)


@dataclass(slots=True)
class Changeable:
    """What may be changed."""

    only: float


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """What is equal to itself alone."""

    only: float


class Derived(Light):
    """A class of a user."""

    def __init__(self, number: int) -> None:
        super().__init__(f"number {number}")


def shown(value: object) -> str:
    return repr(value).replace("Usual", "Light")


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [(("a",), {}), (("a", (3,)), {}), ((), {"name": "a", "rest": [1]}), (("b", ()), {})],
)
def test_a_value_is_made_shown_and_taken_apart_as_any_data_class(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    light, usual = Light(*args, **kwargs), Usual(*args, **kwargs)

    assert shown(light) == shown(usual)
    assert dataclasses.asdict(light) == dataclasses.asdict(usual)
    assert dataclasses.astuple(light) == dataclasses.astuple(usual)
    assert light == Light(*args, **kwargs) != Light("other")
    assert light.total == sum(usual.sizes)
    for change in (replace, dataclasses.replace):
        assert shown(change(light, sizes=(7,))) == shown(
            dataclasses.replace(usual, sizes=(7,))
        )


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_is_equal(copied: Callable[[Any], Any]) -> None:
    summary = MetricSummary(1.0, 2.0, 3.0, 4.0, 5, 0, 1, None, 9)

    for value in (summary, Light("a", (), [1]), Selection(name="a*"), Changeable(2.0)):
        assert copied(value) == value
    assert hash(copied(summary)) == hash(summary)
    assert copied(Alone(1.0)) != Alone(1.0)


def test_what_dataclasses_knows_is_the_same() -> None:
    assert dataclasses.is_dataclass(Light)
    assert not hasattr(Light("a"), "__dict__")
    light, usual = dataclasses.fields(Light), dataclasses.fields(Usual)
    assert [(f.name, f.type, f.default) for f in light] == [
        (f.name, f.type, f.default) for f in usual
    ]
    assert inspect.signature(Light) == inspect.signature(Usual)
    assert list(inspect.signature(Derived).parameters) == ["number"]
    assert Derived(3).name == "number 3"
    match Light("a", (1,)):
        case Light(name, (first,)):
            assert (name, first) == ("a", 1)


@pytest.mark.parametrize("field_name", ["name", "rest", "unknown"])
def test_a_frozen_value_refuses_to_be_changed(field_name: str) -> None:
    value = Light("a")

    with pytest.raises(dataclasses.FrozenInstanceError, match=field_name):
        setattr(value, field_name, 1)
    with pytest.raises(dataclasses.FrozenInstanceError, match=field_name):
        delattr(value, field_name)


def test_a_value_that_may_be_changed_has_no_hash() -> None:
    changed = Changeable(1.0)

    changed.only = 2.0

    assert changed == Changeable(2.0) != Changeable(1.0)
    with pytest.raises(TypeError, match="unhashable"):
        hash(changed)


@pytest.mark.parametrize("kwargs", [{}, {"name": "a", "x": 1}, {"sizes": ()}])
def test_wrong_arguments_are_named(kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError) as light:
        Light(**kwargs)
    with pytest.raises(TypeError) as usual:
        Usual(**kwargs)

    assert str(light.value) == str(usual.value).replace("Usual", "Light")


def test_defaults_are_made_for_each_value() -> None:
    Light("a").rest.append(1)

    assert Light("b").rest == []


@pytest.mark.parametrize("question", ["summary('one')", "leaderboard('loss').rows()"])
def test_a_question_loads_none_of_what_takes_long(
    output: Output, store_path: Path, question: str
) -> None:
    run = start_run("digits", "one", store=store_path)
    run.log({"loss": 1.0})
    run.finish(wait=True)
    code = f"""
        import sys
        import duckdb
        before = set(sys.modules)
        import stepwell
        assert stepwell.open_store(sys.argv[1]).{question}
        slow = {{"dataclasses", "hashlib", "inspect", "numpy", "platform", "uuid"}}
        print(slow & set(sys.modules) - before)
    """
    assert output(code, store_path).split() == ["set()"]


IDS = [
    "run-2",
    "",
    "é漢",
    "6BA7B811-9dad-11d1-80b4-00c04fd430c8",
    "{6ba7b8119dad11d180b400c04fd430c8}",
    "urn:uuid:6ba7b811-9dad-11d1-80b4-00c04fd430c8",
    "+" + "1" * 31,
    " " + "0" * 31,
    "1_1" + "0" * 29,
    "0x" + "1" * 30,
    "٣" * 32,
    "f" * 31 + "g",
    "1" * 33,
]


@pytest.mark.parametrize("text", IDS)
def test_an_id_is_read_as_the_module_for_uuids_reads_it(text: str) -> None:
    try:
        expected = str(UUID(text))
    except ValueError:
        expected = None

    assert as_uuid(text) == expected
    assert as_run_id(text) == (expected or str(uuid5(NAMESPACE_URL, f"stepwell:{text}")))
