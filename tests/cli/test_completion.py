"""Shells complete what the store knows, quickly, and say nothing when they cannot."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from stepwell.cli import main
from stepwell.store import start_run

Complete = Callable[..., list[str]]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("complete") / "runs.duckdb"
    for name in ("alpha", "alpine", "beta", "with space", "$(touch x)"):
        with start_run("digits", name, group="g1", tags=["paper"], store=path) as run:
            run.log({"train/loss": 1.0, "accuracy": 0.5, "odd name": 1.0})
        run.finish(wait=True)  # what is folded is completed
    return path


@pytest.fixture
def complete(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """What a shell offers behind some words; the last one has only begun."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEPWELL_STORE", str(path))

    def ask(*words: str, shell: type[ShellComplete] = BashComplete) -> list[str]:
        asked = shell(main, {}, "stepwell", "_STEPWELL_COMPLETE")
        found = asked.get_completions(list(words[:-1]), words[-1])
        return [item.value for item in found]

    return ask


@pytest.mark.parametrize("shell", [BashComplete, ZshComplete, FishComplete])
def test_commands_are_completed(complete: Complete, shell: type[ShellComplete]) -> None:
    assert set(complete("r", shell=shell)) >= {"rename", "rm"}


@pytest.mark.parametrize(
    "before", [["show"], ["plot"], ["watch"], ["tag"], ["note"], ["rename"], ["rm", "beta"]]
)
def test_names_of_runs_are_completed(complete: Complete, before: list[str]) -> None:
    assert complete(*before, "al") == ["alpine", "alpha"]
    assert "last" in complete(*before, "")


def test_the_end_of_an_id_completes_too(complete: Complete, path: Path) -> None:
    from stepwell.store import Store  # noqa: PLC0415

    ending = Store(path).run("beta").run_id[-8:]

    assert complete("show", ending[:5]) == [ending]


def test_a_name_that_a_shell_would_take_apart_is_offered_as_an_id(
    complete: Complete, path: Path
) -> None:
    from stepwell.store import Store  # noqa: PLC0415

    offered = complete("show", "")

    endings = {Store(path).run(name).run_id[-8:] for name in ("with space", "$(touch x)")}
    assert set(offered) == endings | {"last", "alpha", "alpine", "beta"}


def test_metrics_and_labels_are_completed(complete: Complete) -> None:
    assert complete("plot", "last", "-m", "") == ["accuracy", "train/loss"]
    assert complete("plot", "last", "--metric", "t") == ["train/loss"]
    assert complete("ls", "--project", "d") == ["digits"]
    assert complete("tag", "last", "p") == ["paper"]
    assert complete("ls", "--status", "f") == ["finished", "failed"]


def test_the_store_of_an_option_is_asked(
    complete: Complete, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STEPWELL_STORE")

    assert complete("show", "b") == []
    assert complete("--store", str(path), "show", "bet") == ["beta"]  # no id has a t
    assert complete("show", "--store", str(path), "bet") == ["beta"]


@pytest.mark.parametrize("kind", ["absent", "text", "folder"])
def test_where_there_is_no_store_nothing_is_offered_or_made(
    complete: Complete,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    if kind == "text":
        (tmp_path / "store").write_text("no database")
    elif kind == "folder":
        (tmp_path / "store").mkdir()
    monkeypatch.setenv("STEPWELL_STORE", str(tmp_path / "store"))
    before = sorted(tmp_path.rglob("*"))

    assert complete("show", "") in ([], ["last"])

    assert sorted(tmp_path.rglob("*")) == before
    assert capfd.readouterr() == ("", "")


def test_nothing_is_written_to_a_store_that_is_asked(
    complete: Complete, path: Path
) -> None:
    def state() -> dict[Path, tuple[int, int]]:
        files = path.parent.rglob("*")
        return {f: (f.stat().st_mtime_ns, f.stat().st_size) for f in files if f.is_file()}

    before = state()
    complete("show", "")
    assert state() == before


def test_a_store_in_use_does_not_keep_the_shell_waiting(
    complete: Complete, path: Path, python: Callable[..., Any]
) -> None:
    holder = python(
        """
        import sys
        from stepwell.store.database.lease import lease_of
        from stepwell.store.files.location import resolve
        with lease_of(resolve(sys.argv[1])).exclusive():
            print("held", flush=True)
            sys.stdin.read()
        """,
        path,
    )
    assert holder.stdout.readline() == "held\n"

    assert "alpha" not in complete("show", "")

    holder.communicate("", timeout=60)
    assert "alpha" in complete("show", "")


def test_a_real_bash_completes(path: Path, tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    program = tmp_path / "stepwell"
    program.write_text(f"#!{sys.executable}\nfrom stepwell.cli import start\nstart()\n")
    program.chmod(0o755)
    script = """
        eval "$(_STEPWELL_COMPLETE=bash_source stepwell)"
        COMP_WORDS=(stepwell show al) COMP_CWORD=2
        _stepwell_completion stepwell
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ
        | {"STEPWELL_STORE": str(path), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert done.stdout.split() == ["alpine", "alpha"], done.stderr


def test_completion_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()

    for shell in ("bash", "zsh", "fish"):
        assert f"_STEPWELL_COMPLETE={shell}_source" in page


# Help, which is what a person reads where there is no completion.

NOT_READS = frozenset(("watch", "replot", "report"))  # they show, or draw


def every_command(group: click.Group = main, above: str = "") -> dict[str, click.Command]:
    """All commands by their whole names, those of groups included."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        whole = f"{above}{name}"
        if isinstance(command, click.Group):
            found |= every_command(command, f"{whole} ")
        else:
            found[whole] = command
    return found


@pytest.mark.parametrize("name", every_command())
def test_every_command_says_what_it_does_with_an_example(name: str) -> None:
    command = every_command()[name]

    assert f"Example: stepwell {name}" in " ".join((command.help or "").split())


@pytest.mark.parametrize("name", sorted(every_command().keys() - NOT_READS))
def test_every_command_that_reads_prints_json(name: str) -> None:
    options = {option for param in every_command()[name].params for option in param.opts}

    assert "--json" in options
