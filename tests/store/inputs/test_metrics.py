"""What may be a metric's value, name and step, and what is said of the rest."""

import math
import re
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepwell import MetricWarning
from stepwell.store import Store
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest.ingest import fold
from stepwell.store.inputs.metrics import PLAIN, clean_metrics, to_float
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
Rows = Callable[..., list[tuple[Any, ...]]]
Call = tuple[dict[str, Any], Any]


class Tensor:
    """What tensors of any library look like."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def item(self) -> Any:
        return self.value

    def __repr__(self) -> str:
        return f"Tensor({self.value!r})"


class Broken:
    """Raises whatever is done with it."""

    def item(self) -> float:
        raise RuntimeError("device\nlost")

    def __float__(self) -> float:
        raise RuntimeError("device lost")

    def __index__(self) -> int:
        raise RuntimeError("device lost")

    def __repr__(self) -> str:
        raise RuntimeError("device lost")


class Half:
    """Like a mapping, but not one."""

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("not now")


@pytest.fixture
def kept(make_writer: MakeWriter, store_path: Path) -> Callable[..., Any]:
    """Logs calls, and gives what the store has of them, and what was said."""

    def log(*calls: Call) -> tuple[list[tuple[str, int, float]], list[str]]:
        recorder = make_writer().recorder()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            for metrics, step in calls:
                recorder.log(metrics, step)
        assert all(warning.category is MetricWarning for warning in said)
        assert all(warning.filename == __file__ for warning in said)
        query = "select metric, step, value from store.main.points order by time, rowid"
        found = Store(store_path).sql(query).fetchall()
        return found, [str(warning.message) for warning in said]

    return log


Kept = Callable[..., tuple[list[tuple[str, int, float]], list[str]]]

NUMBERS: list[tuple[Any, float]] = [
    (1, 1.0),
    (True, 1.0),
    (-0.0, -0.0),
    (5e-324, 5e-324),
    (1.7976931348623157e308, 1.7976931348623157e308),
    (math.inf, math.inf),
    (-math.inf, -math.inf),
    (math.nan, math.nan),
    (2**53 + 1, 2.0**53),
    (10**300, 1e300),
    (np.float64(0.1), 0.1),
    (np.float32(0.1), float(np.float32(0.1))),
    (np.float16(0.1), float(np.float16(0.1))),
    (np.longdouble(1.5), 1.5),
    (np.int8(-3), -3.0),
    (np.uint64(2**64 - 1), 2.0**64),
    (np.bool_(True), 1.0),
    (np.array(2.5), 2.5),
    (np.array([2.5]), 2.5),
    (np.float64("nan"), math.nan),
    (Tensor(3.5), 3.5),
    (Tensor(7), 7.0),
    (Tensor(np.float32(0.5)), 0.5),
    (Decimal("0.25"), 0.25),
    (Fraction(1, 4), 0.25),
]

NO_NUMBERS: list[tuple[Any, str]] = [
    ("0.5", "str"),
    (b"1", "bytes"),
    ([1.0], "list"),
    ((1.0,), "tuple"),
    ({1.0}, "set"),
    (object(), "object"),
    (1j, "complex"),
    (np.complex64(1), "complex64"),
    (np.array([1.0, 2.0]), "ndarray"),
    (np.array([]), "ndarray"),
    (np.str_("1"), "str_"),
    (np.datetime64("2026-01-01"), "datetime64"),
    (10**400, "int"),
    (Fraction(10**400), "Fraction"),
    (Decimal("sNaN"), "Decimal"),
    (np.ma.masked, "MaskedConstant"),
    (np.ma.array(5.0, mask=True), "MaskedArray"),
    (np.ma.array([5.0], mask=[True]), "MaskedArray"),
    (np.datetime64(5, "ns"), "datetime64"),
    (np.array(5, "m8[s]"), "ndarray"),
    (Tensor("1"), "Tensor"),
    (Tensor([1.0]), "Tensor"),
    (Broken(), "Broken"),
    (lambda: 1.0, "function"),
    (float, "type"),
]


@pytest.mark.parametrize(("value", "recorded"), NUMBERS, ids=repr)
def test_a_number_is_recorded_exactly(value: Any, recorded: float) -> None:
    packed = struct.pack("<d", recorded)

    assert struct.pack("<d", to_float(value)) == packed
    if type(value) in PLAIN:  # then the hot path packs it as it is
        assert struct.pack("<d", value) == packed


def test_all_numbers_come_back_as_they_were_recorded(
    make_writer: MakeWriter, store_path: Path
) -> None:
    recorder = make_writer().recorder()
    for _ in range(2):  # the first call takes the slow path
        for value, _ in NUMBERS:
            recorder.log({"value": value})

    found = Store(store_path).series("last", "value").values.tolist()
    expected = [recorded for _, recorded in NUMBERS] * 2
    assert list(map(bits, found)) == list(map(bits, expected))


def test_what_is_no_number_is_said_once_and_the_rest_is_kept(kept: Kept) -> None:
    calls = [
        ({"before": 1, f"bad {place}": value, "after": 2.0}, 40)
        for place, (value, _) in enumerate(NO_NUMBERS)
    ]

    found, said = kept(*calls, *calls)

    assert found == [("before", 40, 1.0), ("after", 40, 2.0)] * 2 * len(NO_NUMBERS)
    assert len(said) == len(NO_NUMBERS)
    for place, (_, kind) in enumerate(NO_NUMBERS):
        assert f"'bad {place}': a value of type {kind} was not recorded" in said[place]
        assert "(step 40)" in said[place]
        assert "\n" not in said[place]


def test_a_warning_names_the_line_of_the_training(store_path: Path, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import stepwell\n"
        "from m.training_viz import create_loss_visualizer\n"
        f"with stepwell.init(store={str(store_path)!r}) as run:\n"
        "    run.log({'loss': 'low'})\n"
        "    visualizer = create_loss_visualizer()\n"
        "    visualizer.update_metrics({'accuracy': 'high'})\n"
    )
    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    places = re.findall(r"train\.py:(\d+): MetricWarning: metric '(\w+)'", done.stderr)
    assert places == [("4", "loss"), ("6", "accuracy")]


@pytest.mark.parametrize("shape", [(3,), (2, 4)])
def test_an_array_is_told_what_to_log_instead(kept: Kept, shape: tuple[int, ...]) -> None:
    recorded, said = kept(({"loss": 0.5, "gradient": np.ones(shape)}, None))
    assert recorded == [("loss", 0, 0.5)]
    (message,) = said
    assert f"it holds {' × '.join(map(str, shape))} values; log their mean" in message


def test_a_masked_value_is_absent_and_said(kept: Kept) -> None:
    mean = np.ma.array([1.0, 2.0], mask=True).mean()
    calls = [{"iou": mean, "loss": 0.5}, {"iou": np.ma.array(0.25), "loss": np.ma.masked}]

    found, said = kept(*((call, None) for call in calls))

    assert found == [("loss", 0, 0.5), ("iou", 1, 0.25)]
    assert ["it is masked" in message for message in said] == [True, True]


def test_the_missing_values_of_pandas_are_absent_and_said(kept: Kept) -> None:
    pandas = pytest.importorskip("pandas")
    found, said = kept(({"a": pandas.NA, "b": pandas.NaT, "c": 1}, pandas.NA))

    assert found == [("c", 0, 1)]
    assert [word in m for word, m in zip(("<NA>", "NaT", "step"), said, strict=True)]


def test_none_is_an_absent_value(kept: Kept) -> None:
    calls = [{"a": 1, "b": None}, {"a": None, "b": 2}, {"a": None}, {}, {"a": 3, "b": 3}]

    found, said = kept(*((call, None) for call in calls))

    assert found == [("a", 0, 1), ("b", 1, 2), ("a", 4, 3), ("b", 4, 3)]
    assert said == []


def test_nested_dicts_become_paths(kept: Kept) -> None:
    nested = {"train": {"loss": 1, "layer": {"0": 2, "1": None}}, "empty": {}, "lr": 3}

    found, said = kept((nested, 5))

    assert found == [("train/loss", 5, 1), ("train/layer/0", 5, 2), ("lr", 5, 3)]
    assert said == []


def test_a_name_that_is_said_twice_in_a_call_is_told(kept: Kept) -> None:
    found, said = kept(({"a": {"b": 1}, "a/b": 2}, None))

    assert found == [("a/b", 0, 2)]
    assert "'a/b' is in one call twice; the last one counts" in said[0]


def test_nesting_without_end_is_cut_off(kept: Kept) -> None:
    deep: dict[str, Any] = {"loss": 1}
    deep["self"] = deep

    found, said = kept((deep, None))

    assert found[0] == ("loss", 0, 1)
    assert len(found) == 65
    assert said == ["metrics nested more than 64 deep are not recorded (step 0)"]


@pytest.mark.parametrize(
    ("metrics", "kind"),
    [(None, "NoneType"), (1.0, "float"), ("loss", "str"), ([("a", 1)], "list"),
     (np.ones(3), "ndarray"), (Half(), "Half"), ({1, 2}, "set")],
)  # fmt: skip
def test_a_call_without_a_dict_is_told_and_the_next_goes_on(
    kept: Kept, metrics: Any, kind: str
) -> None:
    found, said = kept((metrics, 7), ({"loss": 1}, None))

    assert found == [("loss", 8, 1)]
    assert said == [
        f"metrics must be a dict of names and numbers, such as {{'loss': 0.5}}, not {kind};"
        " ignored (step 7)"
    ]


def test_a_mapping_that_breaks_off_gives_what_it_gave(kept: Kept) -> None:
    class Faulty(Mapping[str, float]):
        def __getitem__(self, key: str) -> float:
            if key == "b":
                raise OSError("gone")
            return 1.0

        def __iter__(self) -> Iterator[str]:
            return iter("abc")

        def __len__(self) -> int:
            return 3

    found, said = kept((Faulty(), None), (Faulty(), None))

    assert found == [("a", 0, 1), ("a", 1, 1)]
    assert said == ["a call could not be read to its end: gone (step 0)"]


NAMES = [
    "x" * 300,
    "größe ✓ 損失",
    "🏋️",
    "with space",
    " ",
    "a/b/c",
    "/",
    "quote'\"`",
    "semi;--",
    "%s{}[]",
    "new\nline\ttab",
    "\x1b[31m",
    "null",
    "NaN",
]


def test_any_text_can_be_a_name(kept: Kept, store_path: Path) -> None:
    found, said = kept(*(({name: 1, "b": 2}, 3) for name in NAMES * 2))

    assert [row[0] for row in found if row[0] != "b"] == NAMES * 2
    assert said == []
    store = Store(store_path)
    for name in NAMES:
        assert store.series("last", name).values.tolist() == [1, 1]
    assert list(store.reduced("last")) == list(store.summary("last"))


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("", "metric name '' is empty"),
        ("a\0b", r"metric name 'a\x00b' holds a NUL character"),
        ("\ud800", r"metric name '\ud800' is not valid Unicode"),
        (5, "metric name 5 is an int, not a text"),
        (None, "metric name None is a NoneType, not a text"),
        (("a", "b"), "metric name ('a', 'b') is a tuple, not a text"),
        (b"a", "metric name b'a' is a bytes, not a text"),
    ],
)
def test_what_cannot_be_a_name_is_told(kept: Kept, name: Any, trouble: str) -> None:
    found, said = kept(({"a": 1, name: 2.0, "b": {name: 1}}, 9), ({name: 3.0}, None))

    assert found == [("a", 9, 1)]
    assert said == [f"{trouble}; its value (float) was not recorded (step 9)"]


def test_any_number_of_names_is_recorded(make_writer: MakeWriter, rows: Rows) -> None:
    writer = make_writer()
    recorder = writer.recorder()
    for number in range(0, 50_000, 10):
        recorder.log({f"metric {number + place}": number + place for place in range(10)})

    counted = "select count(*), count(distinct metric), sum(value) from points"
    assert rows(counted) == [(50_000, 50_000, 1_249_975_000.0)]
    assert len(writer.shapes) <= 4096


STEPS: list[tuple[Any, int]] = [
    (5, 5),
    (3, 3),
    (3, 3),
    (-7, -7),
    (0, 0),
    (True, 1),
    (4.0, 4),
    (-(2**63), -(2**63)),
    (2**63 - 1, 2**63 - 1),
    (np.int32(6), 6),
    (np.float64(8.0), 8),
    (np.array(9), 9),
    (Tensor(10), 10),
]


def test_any_whole_number_of_64_bits_is_a_step(kept: Kept) -> None:
    for calls in (STEPS, STEPS[::-1]):
        found, said = kept(*(({"loss": 1.0}, step) for step, _ in calls))

        assert [row[1] for row in found[-len(STEPS) :]] == [step for _, step in calls]
        assert said == []


@pytest.mark.parametrize(
    ("step", "kind", "why"),
    [
        (1.5, "float", "a step is a whole number"),
        (math.nan, "float", "a step is a whole number"),
        (math.inf, "float", "a step is a whole number"),
        (2**63, "int", "a step must fit 64 bits"),
        (-(2**63) - 1, "int", "a step must fit 64 bits"),
        (1e300, "float", "a step must fit 64 bits"),
        ("7", "str", "a step is a whole number"),
        ([7], "list", "a step is a whole number"),
        (np.arange(3), "ndarray", ""),
        (Broken(), "Broken", "device lost"),
        (Tensor(Tensor(None)), "Tensor", "a step is a whole number"),
    ],
)
def test_an_unusable_step_is_told_and_the_metrics_are_kept(
    kept: Kept, step: Any, kind: str, why: str
) -> None:
    found, said = kept(({"loss": 1}, 6), ({"loss": 2}, step), ({"loss": 3}, step))

    assert found == [("loss", 6, 1), ("loss", 7, 2), ("loss", 8, 3)]
    assert len(said) == 1
    assert f"of type {kind} is unusable ({why}" in said[0]
    assert said[0].endswith("; the metrics were recorded at step 7")


def test_steps_behind_the_last_possible_one_stay_there(kept: Kept) -> None:
    found, said = kept(({"a": 1}, 2**63 - 1), ({"a": 2}, None), ({"a": 3}, None))

    assert [row[1] for row in found] == [2**63 - 1] * 3
    assert len(said) <= 1


def test_warnings_do_not_go_on_for_ever(make_writer: MakeWriter) -> None:
    recorder = make_writer().recorder()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for number in range(1000):
            recorder.log({f"bad {number}": "text"})
    assert len(said) == 100


def bits(value: float) -> bytes:
    """All that there is of a number; a NaN is a NaN."""
    return struct.pack("<d", math.nan if math.isnan(value) else value)


def kept_bits(value: float) -> bytes:
    """What the database keeps: where all is zero it may lose a sign (duckdb#25580)."""
    return bits(value + 0.0)


CALLS = st.lists(
    st.tuples(
        st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
            st.floats(width=64) | st.integers(-(2**70), 2**70) | st.none(),
            max_size=6,
        ),
        st.none() | st.integers(-(2**63), 2**63 - 1),
    ),
    max_size=30,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(calls=CALLS, folds=st.sets(st.integers(0, 30)))
def test_whatever_is_recorded_comes_back(
    calls: list[Call], folds: set[int], make_writer: MakeWriter, store_path: Path
) -> None:
    writer = make_writer()
    recorder = writer.recorder()
    expected: dict[str, list[tuple[int, bytes]]] = {}
    last = -1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetricWarning)  # of the last step there is
        for place, (metrics, step) in enumerate(calls):
            recorder.log(metrics, step)
            at = min(last + 1, 2**63 - 1) if step is None else step
            last = max(last, at)
            for name, value in metrics.items():
                if value is not None:
                    expected.setdefault(name, []).append((at, kept_bits(value)))
            if place in folds:
                fold(lease_of(resolve(store_path)))

    store = Store(store_path)
    assert set(store.summary(writer.header.run_id)) == set(expected)
    for name, points in expected.items():
        series = store.series(writer.header.run_id, name)
        found = zip(series.steps.tolist(), series.values.tolist(), strict=True)
        packed_points = [(step, kept_bits(value)) for step, value in found]
        assert sorted(packed_points) == sorted(points)
        assert [step for step, _ in packed_points] == sorted(step for step, _ in points)


KEYS = st.sampled_from(["a", "b", "a/b", "", "\0", "\ud800", 1, None, ("a",)])
LEAVES = st.one_of(
    st.none(),
    st.floats(width=64),
    st.integers(-(2**70), 2**70),
    st.sampled_from(NUMBERS).map(lambda pair: pair[0]),
    st.sampled_from([pair[0] for pair in NO_NUMBERS if type(pair[0]) is not Broken]),
)
NESTED = st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner), max_leaves=12)


def walk(metrics: Mapping[Any, Any], path: str = "") -> Iterator[tuple[str | None, Any]]:
    """Each value with its full name; without one where its name, or one above, is bad."""
    for key, value in metrics.items():
        if value is None:
            continue
        if key not in {"a", "b", "a/b"}:
            yield None, value
        elif isinstance(value, dict):
            yield from walk(value, f"{path}{key}/")
        else:
            yield path + key, value


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, NESTED, max_size=5))
def test_each_odd_value_is_recorded_exactly_or_told_once(metrics: dict[Any, Any]) -> None:
    values, problems = clean_metrics(metrics)

    expected: dict[str, bytes] = {}
    troubles = 0
    for name, value in walk(metrics):
        if name is None:
            troubles += 1
            continue
        troubles += name in expected  # it is said that the last one counts
        try:
            expected[name] = bits(to_float(value))
        except Exception:  # noqa: BLE001 (a value's own code may raise anything)
            troubles += 1
    assert {name: bits(value) for name, value in values.items()} == expected
    assert len(problems) == troubles
    assert all("\n" not in problem.message for problem in problems)
