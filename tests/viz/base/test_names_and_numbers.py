"""What names of metrics tell, and how numbers are written."""

import math

import pytest

from stepwell.store import better_side
from stepwell.viz.base.metric_names import is_validation, member, short_labels
from stepwell.viz.base.numbers import duration, short_step, short_value, tick_labels


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("val_loss", "min"),
        ("valLoss", "min"),
        ("eval/perplexity", "min"),
        ("top1_accuracy", "max"),
        ("f1_score", "max"),
        ("learning_rate", None),
    ],
)
def test_the_better_side_is_in_the_name(name: str, side: str | None) -> None:
    assert better_side(name) == side


def test_validation_is_a_word_of_its_own() -> None:
    assert [
        n for n in ("val_loss", "interval", "eval/f1", "test.acc") if is_validation(n)
    ] == [
        "val_loss",
        "eval/f1",
        "test.acc",
    ]


def test_members_of_a_family_end_with_a_number() -> None:
    found = member("expert_12")
    assert found is not None
    assert (found.family, found.number) == ("expert", 12)
    assert member("loss") is None
    assert member("12") is None


@pytest.mark.parametrize(
    ("names", "title", "labels"),
    [
        (["train_loss", "val_loss"], "Loss", ["train", "val"]),
        (["train_loss", "val_loss"], "Losses", ["train", "val"]),
        (["train_loss"], "Loss Curves", ["train"]),
        (["learning_rate"], "Learning rate", [""]),
        (["loss", "val_loss"], "Loss", ["loss", "val"]),
        (["layer_1", "layer_2"], "Layers", ["layer 1", "layer 2"]),
        (["a_loss", "a/loss"], "Loss", ["a loss", "a/loss"]),
        (["expert_entropy", "load_balance"], "Experts", ["entropy", "load balance"]),
    ],
)
def test_labels_leave_out_what_the_title_says(
    names: list[str], title: str, labels: list[str]
) -> None:
    assert list(short_labels(names, title)) == labels


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.81312, "1.813"),
        (412345, "412.3k"),
        (2.0812e-4, "2.08e-4"),
        (-0.5, "−0.5"),  # noqa: RUF001
        (99999, "100k"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
    ],
)
def test_values_are_short(value: float, text: str) -> None:
    assert short_value(value) == text


def test_steps_are_exact() -> None:
    assert [short_step(step) for step in (0, 500, 12_500, 12_707, 1_000_000)] == [
        "0",
        "500",
        "12.5k",
        "12,707",
        "1M",
    ]


def test_tick_labels_tell_the_ticks_apart() -> None:
    assert tick_labels([0, 5000, 10000]) == ("0", "5k", "10k")
    assert tick_labels([100000, 100002]) == ("100k", "100.002k")
    assert tick_labels([0.0002, 0.0004]) == ("2e-4", "4e-4")


def test_durations_have_two_units() -> None:
    assert [duration(s) for s in (0.4, 59, 409, 11100, 90000)] == [
        "0s",
        "59s",
        "6m 49s",
        "3h 5m",
        "1d 1h",
    ]
