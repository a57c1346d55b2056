"""The example of a sweep trains each combination, in processes, into one store."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import sweep
from click.testing import CliRunner

import stepwell
from stepwell.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    command = [sys.executable, str(EXAMPLES / "sweep.py"), "--epochs", "1"]
    command += ["--lr", "0.01", "0.1", "--batch-size", "64", "--seed", "0", "1"]
    command += ["--store", str(tmp_path_factory.mktemp("sweep") / "a sweep.duckdb")]
    return subprocess.check_output(command, text=True, stderr=subprocess.STDOUT)


def commands_in(printed: str) -> list[list[str]]:
    lines = printed.partition("Look at them with\n")[2].splitlines()
    return [shlex.split(line) for line in lines]


def store_of(printed: str) -> Path:
    return Path(commands_in(printed)[0][2])


def test_the_default_is_three_of_each_with_the_seeds_outermost() -> None:
    rates, sizes, seeds = (0.001, 0.01, 0.1), (16, 32, 64), (0, 1, 2)

    found = list(sweep.settings_of_sweep(rates, sizes, seeds, epochs=5))

    assert len({(one.learning_rate, one.batch_size, one.seed) for one in found}) == 27
    assert [one.seed for one in found[:9]] == [0] * 9
    assert {one.epochs for one in found} == {5}


def test_each_combination_is_a_run_of_its_group(printed: str) -> None:
    with stepwell.open_store(store_of(printed)) as store:
        runs = {run.name: run for run in store.runs(project="digits-sweep", tag="sweep")}
        counts = {
            metric: found.count
            for metric, found in store.summary("lr_0.1_bs_64_seed_1").items()
        }

    assert sorted(runs) == [
        "lr_0.01_bs_64_seed_0",
        "lr_0.01_bs_64_seed_1",
        "lr_0.1_bs_64_seed_0",
        "lr_0.1_bs_64_seed_1",
    ]
    assert {run.status for run in runs.values()} == {"finished"}
    assert {run.pid for run in runs.values()} - {None}
    run = runs["lr_0.1_bs_64_seed_1"]
    assert run.group_name == "lr_0.1_bs_64"
    settings = {key: run.config[key] for key in ("learning_rate", "batch_size", "seed")}
    assert settings == {"learning_rate": 0.1, "batch_size": 64, "seed": 1}
    assert (counts["train_loss"], counts["val_loss"]) == (23, 1)


def test_it_says_how_each_run_went(printed: str) -> None:
    lines = [line for line in printed.splitlines() if "validation accuracy" in line]

    assert [line.split()[0] for line in lines] == ["1/4", "2/4", "3/4", "4/4"]


def test_the_commands_that_it_prints_work(
    printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = commands_in(printed)

    assert len(found) == 3
    for program, *arguments in found:
        result = CliRunner().invoke(main, arguments)
        assert (program, result.exit_code) == ("stepwell", 0), result.output
