"""`stepwell sweep` draws every plot there is, by what matters most in the sweep."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner, Result

from stepwell.cli import main
from stepwell.cli.options import PLOTS as NAMED_PLOTS
from stepwell.store import ConfigurationError, Selection, Store
from stepwell.viz import read_spec, save_sweep
from stepwell.viz.figures.plot_kinds import PLOTS
from stepwell.viz.sweep_plots.default_options import Choice, choose_options

Make = Callable[..., Store]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, make_sweep: Make) -> Store:
    """What matters is the rate; the seed varies more, and explains as much as chance."""
    configs: list[dict[str, Any]] = [
        {"seed": number, "rate": rate, "depth": depth, "kind": "mlp"}
        for number, (rate, depth) in enumerate(
            (rate, depth) for rate in (0.1, 0.2, 0.3) for depth in (1, 2, 3, 4)
        )
    ]
    losses = [config["rate"] + config["depth"] / 1000 for config in configs]
    return make_sweep(tmp_path_factory.mktemp("choice") / "s.duckdb", configs, losses)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, make_sweep: Make) -> Store:
    """Only the rate varies."""
    configs = [{"rate": rate} for rate in (0.1, 0.2, 0.3)]
    return make_sweep(tmp_path_factory.mktemp("narrow") / "s.duckdb", configs, [3, 2, 1])


def command(store: Store, *arguments: object) -> Result:
    place = ["--store", str(store.location), "sweep", "-m", "loss"]
    return CliRunner().invoke(main, [*place, *map(str, arguments)])


def test_the_command_line_names_every_plot() -> None:
    assert tuple(PLOTS) == NAMED_PLOTS


def test_plots_are_told_what_matters_most(store: Store) -> None:
    assert choose_options(store.sweep("loss"), PLOTS) == Choice(
        {
            "curves": {"group_by": ["rate"]},
            "slice": {"param": "rate"},
            "contour": {"x": "rate", "y": "depth"},
            "history": {},
            "edf": {"group_by": ["rate"]},
            "parallel": {},
            "importances": {},
            "leaderboard": {},
            "report": {},
        },
        {},
    )


def test_the_caller_may_say_what_matters(store: Store) -> None:
    keys = ["depth", "seed", "kind"]
    chosen = choose_options(store.sweep("loss"), PLOTS, params=keys).options

    assert chosen["contour"] == {"x": "depth", "y": "seed"}
    assert chosen["slice"] == {"param": "depth"}
    assert chosen["edf"] == {"group_by": ["depth"]}
    assert chosen["parallel"] == chosen["leaderboard"] == {"params": keys}
    with pytest.raises(ConfigurationError, match=r"key 'rte'; there are: .*rate"):
        choose_options(store.sweep("loss"), ["slice"], params=["rte"])


def test_groups_of_one_run_are_none(narrow: Store) -> None:
    assert choose_options(narrow.sweep("loss"), ["curves"]).options == {"curves": {}}


@pytest.mark.parametrize("project", ["nobody", None])
def test_what_a_sweep_cannot_give_is_left_out(narrow: Store, project: str | None) -> None:
    found = choose_options(narrow.sweep("loss", runs=Selection(project=project)), PLOTS)

    if project is None:
        assert found.left_out == {"contour": "only rate varies, and it needs two"}
    else:
        why = "no parameter varies"
        left = ("slice", "contour", "parallel", "importances")
        assert found.left_out == dict.fromkeys(left, why)
    assert set(found.options) | set(found.left_out) == set(PLOTS)


def test_all_plots_are_drawn_and_say_how(narrow: Store, tmp_path: Path) -> None:
    drawn = save_sweep(narrow, "loss", tmp_path, suffix=".svg", at="last")

    assert set(drawn.files) == set(PLOTS) - {"contour"}
    assert set(drawn.files.values()) == set(tmp_path.iterdir())
    slices = read_spec(drawn.files["slice"])
    assert slices.options == {"metric": "loss", "at": "last", "param": "rate"}
    assert read_spec(drawn.files["curves"]).options == {"metric": "loss"}


def test_the_command_notes_what_it_leaves_out(narrow: Store, tmp_path: Path) -> None:
    result = command(narrow, "edf", "contour", "-o", tmp_path, "--json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"edf": str((tmp_path / "edf.png").resolve())}
    assert result.stderr == "contour left out: only rate varies, and it needs two\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", "nobody"], "no run fits what was chosen; `stepwell ls` lists the runs"),
        (["contour"], "nothing to draw (contour: only rate varies, and it needs two)"),
        (["slice", "--params", "rte"], "no run has the configuration key 'rte'"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    narrow: Store, tmp_path: Path, arguments: list[str], said: str
) -> None:
    result = command(narrow, *arguments, "-o", tmp_path / "none")

    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert said in result.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["sweep", "c"], ["curves", "contour"]),
        (["sweep", "curves", "edf", "le"], ["leaderboard"]),
        (["figure", "save", "name", "r"], ["run", "report"]),
    ],
)
def test_names_of_plots_are_completed(words: list[str], offered: list[str]) -> None:
    shell: Any = BashComplete(main, {}, "stepwell", "_STEPWELL_COMPLETE")
    found = shell.get_completions(words[:-1], words[-1])

    assert [item.value for item in found] == offered
