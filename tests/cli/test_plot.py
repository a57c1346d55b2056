"""`stepwell plot` tells a run from metrics of many runs, and pictures say how to redraw."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import stepwell
from stepwell.cli import main
from stepwell.viz import read_spec, redraw


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("plots") / "runs.duckdb"
    for number in range(4):
        config = {"lr": 0.1 / (1 + number % 2), "seed": number}
        run = stepwell.init(name=f"run-{number}", config=config, store=found)
        for step in range(8):
            run.log({"loss": 1 / (1 + step + number), "accuracy": step / 8}, step=step)
        run.finish()
    return found


def plot(path: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(
        main, ["--store", str(path), "plot", *(str(one) for one in arguments)]
    )


def test_a_metric_is_drawn_over_the_chosen_runs(path: Path, tmp_path: Path) -> None:
    picture = tmp_path / "loss.png"
    result = plot(
        path, "loss", "-w", "seed < 3", "--group-by", "lr", "--smooth", "ema:0.5", "--logy",
        "-o", picture, "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert json.loads(result.output) == {"metric": "loss", "picture": str(picture)}
    spec = read_spec(picture)
    assert (spec.kind, spec.runs.where) == ("curves", ("seed < 3",))
    assert spec.options == {
        "metric": "loss",
        "group_by": ["lr"],
        "smooth": "ema:0.5",
        "logy": True,
    }


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_is_redrawn_byte_by_byte(path: Path, tmp_path: Path, suffix: str) -> None:
    picture = tmp_path / f"loss{suffix}"
    assert plot(path, "loss", "--group-by", "lr", "-o", picture).exit_code == 0
    before = picture.read_bytes()
    with stepwell.open_store(path) as store:
        redraw(store, picture)
    assert picture.read_bytes() == before


def test_several_metrics_get_a_picture_each(path: Path, tmp_path: Path) -> None:
    result = plot(path, "loss", "accuracy", "-o", tmp_path / "all.svg")
    assert result.exit_code == 0, result.output
    assert {one.name for one in tmp_path.iterdir()} == {
        "all-loss.svg",
        "all-accuracy.svg",
    }


@pytest.mark.parametrize(
    "arguments", [("run-0", "run-1", "-m", "loss"), ("-m", "loss", "--runs", "run-0,run-1")]
)
def test_a_metric_of_named_runs_is_drawn(
    path: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    picture = tmp_path / "two.png"
    result = plot(path, *arguments, "-o", picture)
    assert result.exit_code == 0, result.output
    spec = read_spec(picture)
    assert spec.options == {"metric": "loss"}
    assert spec.runs.runs == ("run-0", "run-1")


def test_who_names_runs_alone_is_told_to_name_a_metric(path: Path) -> None:
    result = plot(path, "run-0", "run-1")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: these are runs; to draw several say what of them:"
        " stepwell plot run-0 run-1 -m METRIC\n"
    )


def test_a_name_alone_is_a_run_before_it_is_a_metric(path: Path, tmp_path: Path) -> None:
    for name, kind in (("run-1", "run"), ("loss", "curves")):
        picture = tmp_path / f"{name}.png"
        assert plot(path, name, "-o", picture).exit_code == 0
        assert read_spec(picture).kind == kind


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["loss", "--smooth", "window:inf"], "smooth must be 'ema:SHARE'"),
        (["loss", "-p", "nobody"], "no run fits what was chosen"),
        (["loss", "-o", f"{__file__}/a.png"], "Not a directory"),
        (["losss"], "no run 'losss', and no chosen run has a metric 'losss'; did you mean"),
        (["losss", "--logy"], "did you mean 'loss'"),
        (["nobody", "-m", "loss"], "no run 'nobody'"),
        (["loss", "--group-by", "depth"], "no run has the configuration key 'depth'"),
        (["loss", "--smooth", "much"], "smooth must be"),
        (["loss", "-o", "loss.txt"], "the suffix must be one of"),
        ([], "say which"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    path: Path, arguments: list[str], message: str
) -> None:
    result = plot(path, *arguments)
    assert result.exit_code == 2
    assert message in result.output
