"""The figure of a run in a store, without the visualizer that recorded it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stepwell.store import (
    ConfigurationError,
    MetricNotFoundError,
    Run,
    RunNotFoundError,
    Store,
    start_run,
)
from stepwell.viz import save_run_figure
from stepwell.viz.figures.run_figure import layout_of_groups, metric_groups


@pytest.fixture
def run(store_path: Path) -> Iterator[Run]:
    run = start_run(name="moe", store=store_path)
    for step in range(50):
        run.log(
            {"train_loss": 100 * 0.8**step, "val_loss": 1.0, "system/gpu": 0.5, "lr": 0.1}
        )
    yield run
    run.finish()


@pytest.fixture
def store(run: Run) -> Store:
    return run.store()


def svg(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_a_run_without_a_layout_has_a_panel_for_each_group(
    store: Store, tmp_path: Path
) -> None:
    content = svg(save_run_figure(store, "last", tmp_path / "plot.svg"))
    assert all(f"<!-- {title} -->" in content for title in ("Loss", "System", "lr"))


def test_the_layout_kept_with_the_run_is_used(
    run: Run, store: Store, tmp_path: Path
) -> None:
    run.set_layout({"plots": [{"title": "Kept", "ylabel": ""}]})
    assert "<!-- Kept -->" in svg(save_run_figure(store, run.id, tmp_path / "plot.svg"))


def test_a_layout_of_no_use_is_passed_over(run: Run, store: Store, tmp_path: Path) -> None:
    run.set_layout({"subplot_rows": "many"})
    assert "<!-- System -->" in svg(save_run_figure(store, run.id, tmp_path / "plot.svg"))


def test_metrics_that_are_asked_for_have_a_panel_each(
    run: Run, store: Store, tmp_path: Path
) -> None:
    run.set_layout({"plots": [{"title": "Kept", "ylabel": ""}]})
    path = save_run_figure(store, "moe", tmp_path / "plot.svg", ["val_loss", "lr"], "dark")
    content = svg(path)
    assert "<!-- Val loss -->" in content
    assert "<!-- lr -->" in content
    assert "<!-- Kept -->" not in content
    assert "#11161d" in content


def test_an_unknown_metric_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(MetricNotFoundError, match="val_los"):
        save_run_figure(store, "last", tmp_path / "plot.svg", metrics=["val_los"])


def test_an_unknown_run_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError, match="nobody"):
        save_run_figure(store, "nobody", tmp_path / "plot.svg")


def test_an_unknown_theme_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="sepia"):
        save_run_figure(store, "last", tmp_path / "plot.svg", theme="sepia")


def test_a_run_without_metrics_has_a_figure_too(store_path: Path, tmp_path: Path) -> None:
    with start_run(store=store_path) as empty:
        assert save_run_figure(empty.store(), empty.id, tmp_path / "plot.png").is_file()


def test_groups_are_losses_prefixes_and_counterparts() -> None:
    names = ["lr", "train_f1", "val_loss", "system/gpu", "val_f1", "system/cpu", "aux_loss"]
    assert metric_groups(names) == {
        "Loss": ["val_loss", "aux_loss"],
        "lr": ["lr"],
        "f1": ["train_f1", "val_f1"],
        "system": ["system/gpu", "system/cpu"],
    }


def test_what_finds_no_panel_shares_the_last() -> None:
    groups = metric_groups([f"{letter}/x" for letter in "abcdefghijkl"])
    assert len(groups) == 9
    assert groups["Other metrics"] == ["i/x", "j/x", "k/x", "l/x"]


def test_a_wide_range_of_positive_values_is_logarithmic(store: Store) -> None:
    summary = store.summary("last")
    config = layout_of_groups({"a": ["train_loss"], "b": ["lr"]}, summary)
    assert [plot.yscale for plot in config.plots] == ["log", "linear"]
