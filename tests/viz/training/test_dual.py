"""Plots and terminal view as one system, over one run."""

from pathlib import Path
from typing import Any

import pytest

import stepwell
from stepwell import training_viz


@pytest.fixture(autouse=True)
def own_store(store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_STORE", str(store_path))
    monkeypatch.chdir(tmp_path)


METRICS = {
    "train_loss": 0.5,
    "accuracy": 0.9,
    "own": 1.0,
    "val_loss": None,
    "expert_utilization": {0: 0.5, 1: 0.5},
    "custom_metrics": {"smoothness": 0.1},
}


def points() -> list[tuple[Any, ...]]:
    with stepwell.open_store() as store:
        query = "select metric, step, count(*) from points group by all order by all"
        return store.sql(query).fetchall()


def test_it_is_found_by_both_names() -> None:
    assert stepwell.DualVisualizationSystem is training_viz.DualVisualizationSystem


@pytest.mark.parametrize("steps", [range(3), range(100, 400, 100), [7, 3, 9]])
def test_both_leave_one_run_with_each_point_once(steps: Any) -> None:
    system = stepwell.DualVisualizationSystem(total_steps=3, n_experts=2)
    system.initialize("A test")
    for step in steps:
        system.update_training_metrics(step, METRICS)
    system.cleanup()
    system.cleanup()

    names = ["accuracy", "expert_0", "expert_1", "own", "smoothness", "train_loss"]
    assert points() == [(name, step, 1) for name in names for step in sorted(steps)]
    with stepwell.open_store() as store:
        (run,) = store.runs()
    assert run.status == "finished"
    assert run.config == {"total_steps": 3}


def test_it_joins_the_active_run() -> None:
    with stepwell.init(name="mine") as run:
        system = stepwell.DualVisualizationSystem(2)
        assert system.run is run
        assert system.scientific_viz.run is system.terminal_viz.run
        with system:
            system.update_training_metrics(0, METRICS)
        assert run.is_open


def test_the_summary_is_that_of_the_store() -> None:
    with stepwell.DualVisualizationSystem(2) as system:
        system.update_training_metrics(0, METRICS)
        summary = system.get_training_summary()

    assert summary["visualization_systems"] == ["matplotlib", "rich_terminal"]
    assert summary["matplotlib_metrics"]["smoothness"]["current"] == 0.1


def test_an_exception_is_the_end_of_its_run() -> None:
    with pytest.raises(ValueError, match="bad"), stepwell.DualVisualizationSystem(2):
        raise ValueError("bad")
    with stepwell.open_store() as store:
        assert store.run("last").status == "failed"
