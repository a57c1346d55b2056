"""What is new in a run: only the new points, unless some came late."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepwell.store import Store, open_store, start_run


@pytest.fixture
def store(store_path: Path) -> Store:
    return open_store(store_path)


def known(
    points: dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]],
) -> dict[str, tuple[int, int]]:
    return {name: (len(steps), int(steps[-1])) for name, (steps, _) in points.items()}


def test_the_first_look_gives_everything(store: Store) -> None:
    run = start_run(store=store.location)
    for step in range(5):
        run.log({"a": float(step)})

    news = store.news(run.id, ["a", "b"], {})

    assert news.whole == {"a"}
    assert news.points["a"][1].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert "b" not in news.points
    run.finish()


def test_a_later_look_gives_the_new_points_alone(store: Store) -> None:
    run = start_run(store=store.location)
    run.log({"a": 0.0, "b": 0.0})
    before = known(store.news(run.id, ["a", "b"], {}).points)
    run.log({"a": 1.0})

    news = store.news(run.id, ["a", "b"], before)

    assert news.whole == frozenset()
    assert {name: steps.tolist() for name, (steps, _) in news.points.items()} == {"a": [1]}
    run.finish()


def test_a_point_that_comes_late_brings_the_metric_whole(store: Store) -> None:
    run = start_run(store=store.location)
    for step in (0, 10):
        run.log({"a": float(step)}, step=step)
    before = known(store.news(run.id, ["a"], {}).points)
    run.log({"a": 5.0}, step=5)

    news = store.news(run.id, ["a"], before)

    assert news.whole == {"a"}
    assert news.points["a"][0].tolist() == [0, 5, 10]
    run.finish()


def test_nothing_new_is_nothing(store: Store) -> None:
    run = start_run(store=store.location)
    run.log({"a": 0.0})
    before = known(store.news(run.id, ["a"], {}).points)

    assert store.news(run.id, ["a"], before).points == {}
    run.finish()


def test_the_stamp_differs_when_something_was_recorded(store: Store) -> None:
    run = start_run(store=store.location)
    run.log({"a": 0.0})
    before = store.stamp()
    same = store.stamp()
    run.log({"a": 1.0})

    assert before == same
    assert store.stamp() != before
    run.finish()
