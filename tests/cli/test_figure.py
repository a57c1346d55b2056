"""Figures are kept, listed, shown, removed and drawn on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stepwell.cli import main
from stepwell.store import FigureSpec, Selection, Store, start_run

Invoke = Callable[..., Result]


@pytest.fixture
def invoke(store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Runs a command on a store with two runs; it must give the exit code."""
    for name, rate in (("first", 0.1), ("second", 0.2)):
        config = {"lr": rate}
        with start_run("p", name, config, "g", ["a"], store=store_path) as run:
            run.log({"loss": rate, "lr": rate})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEPWELL_STORE", str(store_path))

    def run_command(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result

    return run_command


def test_a_figure_is_saved_with_all_that_was_asked(
    invoke: Invoke, store_path: Path
) -> None:
    selection = "-p p -g g -t a --status finished --name f*".split()
    command = ["figure", "save", "mine", "run", *selection, "-w", "lr < 1"]
    printed = invoke(*command, "-m", "loss", "-m", "lr", "--dark").stdout

    assert Store(store_path).figure("mine").spec == FigureSpec(
        "run",
        Selection(
            project="p",
            group="g",
            tags=("a",),
            status=("finished",),
            name="f*",
            where=("lr < 1",),
        ),
        {"metrics": ["loss", "lr"]},
        {"theme": "dark"},
    )
    assert printed.startswith("mine  run of project p; group g; tags a;")


def test_references_are_given_one_by_one_or_in_a_list(
    invoke: Invoke, store_path: Path
) -> None:
    invoke("figure", "save", "mine", "run", "--runs", "first, second", "--runs", "last")

    assert Store(store_path).figure("mine").spec.runs.runs == ("first", "second", "last")


def test_an_option_is_json_or_text(invoke: Invoke, store_path: Path) -> None:
    command = ["figure", "save", "mine", "run", "--option"]
    invoke(*command, 'metrics=["loss"]')

    assert Store(store_path).figure("mine").spec.options == {"metrics": ["loss"]}
    error = invoke(*command, "metrics", code=2).stderr
    assert "--option needs KEY=VALUE" in error
    error = invoke(*command, "size=big", code=2).stderr
    assert error == (
        "Error: a figure of kind 'run' has no option 'size'; it has layout, metrics\n"
    )


def test_figures_are_listed(invoke: Invoke) -> None:
    assert "no figures in " in invoke("figure", "list").stdout
    invoke("figure", "save", "newest", "run", "-m", "loss")
    invoke("figure", "save", "kept [bold]", "run", "-p", "p", "--pin")

    header, kept, newest = invoke("figure", "list").stdout.splitlines()
    assert header.split() == ["figure", "kind", "runs", "told", "saved"]
    assert kept.startswith("kept [bold]  run   project p (pinned to 2 runs)")
    assert 'newest       run   all runs                      metrics=["loss"]' in newest


def test_a_figure_is_shown_with_the_runs_of_now(invoke: Invoke) -> None:
    invoke("figure", "save", "mine", "run", "-w", "lr < 1", "--dark")
    lines = invoke("figure", "show", "mine").stdout.splitlines()

    assert lines[0] == "mine  run"
    assert [line.split(maxsplit=1) for line in lines[1:4]] == [
        ["runs", "lr < 1"],
        ["now", "2 runs: second, first"],
        ["style", "theme=dark"],
    ]


def test_everything_is_printed_as_json(invoke: Invoke, store_path: Path) -> None:
    command = ["figure", "save", "mine", "run", "--runs", "first", "--pin", "--json"]
    saved = json.loads(invoke(*command).stdout)
    (listed,) = json.loads(invoke("figure", "list", "--json").stdout)
    shown = json.loads(invoke("figure", "show", "mine", "--json").stdout)
    drawn = json.loads(invoke("replot", "mine", "--json").stdout)

    first = Store(store_path).run("first").run_id
    assert saved.pop("saved_at") == listed.pop("saved_at") == shown.pop("saved_at")
    assert saved == listed
    assert saved == {
        "name": "mine",
        "kind": "run",
        "runs": {"runs": ["first"]},
        "pinned": [first],
    }
    assert shown == saved | {"run_ids_now": [first], "run_ids_gone": []}
    assert drawn["figure"] == "mine"
    assert Path(drawn["picture"]).is_file()


def test_figures_are_removed_all_or_none(invoke: Invoke, store_path: Path) -> None:
    for name in "abc":
        invoke("figure", "save", name, "run")

    invoke("figure", "rm", "a", "x", code=2)
    assert len(Store(store_path).figures()) == 3
    assert invoke("figure", "rm", "a", "a").stdout == "a removed\n"
    printed = invoke("figure", "rm", "b", "--json").stdout
    assert json.loads(printed) == {"removed": ["b"]}
    assert [figure.name for figure in Store(store_path).figures()] == ["c"]


def test_a_figure_is_drawn_into_a_file_of_its_name(invoke: Invoke, tmp_path: Path) -> None:
    invoke("figure", "save", "my-figure", "run")

    assert invoke("replot", "my-figure").stdout.strip().endswith("my-figure.png")
    assert (tmp_path / "my-figure.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_is_replaced_by_itself_redrawn(invoke: Invoke, tmp_path: Path) -> None:
    invoke("plot", "first", "-o", "a.svg")
    before = (tmp_path / "a.svg").read_bytes()
    (tmp_path / "b.svg").write_bytes(before)
    invoke("replot", "a.svg")
    invoke("replot", "a.svg", "-o", "c.svg")

    assert (tmp_path / "a.svg").read_bytes() == before
    assert (tmp_path / "c.svg").read_bytes() == before


def test_a_figure_is_drawn_beside_a_live_run(
    invoke: Invoke, store_path: Path, tmp_path: Path
) -> None:
    invoke("figure", "save", "newest", "run")
    run = start_run(name="live", store=store_path)
    run.log({"loss": 0.5}, step=77)
    invoke("replot", "newest", "-o", "a.svg")
    run.finish()

    content = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "<!-- live -->" in content
    assert "step 77 " in content


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["replot", "newst"], "no figure 'newst' in .*; did you mean 'newest'?"),
        (["replot", "none.png"], "No such file or directory (none.png)"),
        (["replot", "other.png"], "the picture 'other.png' does not say how it was made"),
        (["figure", "show", "newst"], "did you mean 'newest'?"),
        (["figure", "rm", "x"], "`stepwell figure list` lists them"),
        (["figure", "save", "a", "pie"], "figures of kind 'pie' are unknown"),
        (["figure", "save", "a.png", "run"], "must not end as a picture's does"),
        (["figure", "save", "a", "run", "-w", "lr <"], "bad condition 'lr <'"),
        (["figure", "save", "a", "run", "-p", "x", "--pin"], "no run fits"),
        (["figure", "save", "a", "run", "--size", "nanx3"], "--size needs WxH"),
        (["replot", "newest", "-o", "a.jpg"], "the suffix must be one of"),
    ],
)
def test_a_mistake_is_one_line(
    invoke: Invoke, tmp_path: Path, command: list[str], said: str
) -> None:
    invoke("figure", "save", "newest", "run")
    (tmp_path / "other.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = invoke(*command, code=2)

    assert all(part in result.stderr for part in said.split(".*")), result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


def test_each_command_of_figures_has_help_with_an_example(invoke: Invoke) -> None:
    for command in ("save", "list", "show", "rm"):
        printed = " ".join(invoke("figure", command, "-h").stdout.split())
        assert f"Example: stepwell figure {command}" in printed
        assert "--store" in printed


def test_the_store_may_stand_behind_each_word(
    invoke: Invoke, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STEPWELL_STORE")
    store = ["--store", str(store_path)]
    for command in (
        [*store, "figure", "list"],
        ["figure", *store, "list"],
        ["figure", "list", *store],
    ):
        assert "no figures" in invoke(*command).stdout
    invoke("figure", "list", code=2)
