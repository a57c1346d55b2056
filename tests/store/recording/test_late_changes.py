"""What is set on a run that has ended is refused, and is not in memory as if stored."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stepwell
from stepwell.store import StoreWarning, open_store, start_run


def set_config(run: stepwell.Run) -> None:
    run.config["best"] = 7


def set_attribute(run: stepwell.Run) -> None:
    run.config.best = 7


def update_config(run: stepwell.Run) -> None:
    run.config.update({"best": 7}, lr=0.5)


def add_tags(run: stepwell.Run) -> None:
    run.add_tags("good", "better")


def set_tags(run: stepwell.Run) -> None:
    run.tags = ["good"]


def set_notes(run: stepwell.Run) -> None:
    run.set_notes("late")


def assign_notes(run: stepwell.Run) -> None:
    run.notes = "late"


def rename(run: stepwell.Run) -> None:
    run.name = "late"


def set_layout(run: stepwell.Run) -> None:
    run.set_layout({"panels": []})


CHANGES = [
    set_config,
    set_attribute,
    update_config,
    add_tags,
    set_tags,
    set_notes,
    assign_notes,
    rename,
    set_layout,
]
Change = Callable[[stepwell.Run], None]


def state(run: stepwell.Run) -> dict[str, Any]:
    return {
        "config": dict(run.config),
        "tags": run.tags,
        "notes": run.notes,
        "name": run.name,
    }


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> stepwell.Run:
    store = tmp_path_factory.mktemp("late") / "runs.duckdb"
    run = stepwell.init(
        name="x", config={"lr": 0.1}, tags=["a"], notes="first", store=store
    )
    run.finish()
    return run


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_after_the_end_is_said_and_not_kept(
    ended: stepwell.Run, change: Change
) -> None:
    before = state(ended)
    with pytest.warns(StoreWarning, match="the run 'x' has ended: its"):
        change(ended)
    assert state(ended) == before
    found = open_store(ended.location).run(ended.id)
    kept = {"config": found.config, "tags": found.tags, "notes": found.notes}
    assert kept | {"name": found.name} == before
    assert found.layout is None


def test_a_change_of_a_copy_after_the_end_of_the_copy_is_said(store_path: Path) -> None:
    with start_run(store=store_path) as run:
        other = copy.deepcopy(run)
        other.config["from"] = "copy"
        other.finish()
        with pytest.warns(StoreWarning, match="has ended"):
            other.config["best"] = 7
        assert "best" not in other.config
        run.config["best"] = 8  # the run itself goes on
    assert open_store(store_path).run(run.id).config == {"from": "copy", "best": 8}


def test_changes_before_the_end_are_stored(store_path: Path) -> None:
    run = start_run(store=store_path)
    for change in CHANGES:
        change(run)
    run.finish()
    found = open_store(store_path).run(run.id)
    assert (found.config, found.tags) == ({"best": 7, "lr": 0.5}, ("good",))
    assert (found.notes, found.name, found.layout) == ("late", "late", {"panels": []})
    assert state(pickle.loads(pickle.dumps(run))) == state(run)
