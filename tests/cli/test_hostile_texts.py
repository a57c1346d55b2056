"""Whatever the texts of a store hold, no terminal is made to obey them."""

import io
import json
import re
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import duckdb
import pytest
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete
from click.testing import CliRunner

import stepwell
from m.rich_trainer_viz import (
    RichTrainerVisualizer,
    TrainingSnapshot,
    VisualizationConfig,
)
from m.training_viz import (
    DualVisualizationSystem,
    RealTimeTrainingVisualizer,
    TrainingVisualizerConfig,
)
from stepwell.cli import main
from stepwell.cli.command_table import SECTIONS
from stepwell.store import (
    FigureSpec,
    MetricWarning,
    StepwellError,
    Store,
    StoreWarning,
    copy_store,
    start_run,
    visible,
)
from stepwell.viz.terminal.screens import encoder_of
from stepwell.viz.terminal.view_of_run import RunFollower

HOSTILE = (
    "a\x1b]0;owned\x07\x1b[38;5;201m\x1b[2J\x9b31m\x85\u202egnp.exe\u2066\u200b\u200f"
    "\rfake line\nfake line\x0b\x0c\x08\x7f\u2028\ufeff\U000e0041\u3164"
)
_OURS = re.compile("\x1b\\[[0-9;]*m")

OTHER = f"{HOSTILE}2"
"""The name of a second metric, and of a second figure."""

NAME = "ru\x1b[38;5;201mns\u202e\n.duckdb"
"""Of the store's file."""

COLUMNS = (
    "name project group_name notes host user_name command working_dir git_commit"
    " python_version exit_message"
).split()

COMMANDS: dict[str, list[list[str]]] = {
    "ls": [["ls"], ["ls", "--json"], ["ls", "--project", HOSTILE]],
    "show": [["show", "last"], ["show", "last", "--json"], ["show", HOSTILE]],
    "watch": [["watch", "last"], ["watch", "--once"], ["watch", "--project", HOSTILE]],
    "best": [
        ["best", HOSTILE, "--goal", "min"],
        ["best", HOSTILE, "--goal", "min", "--json"],
        ["best", HOSTILE],
        ["best", f"{HOSTILE}x", "--goal", "min"],
    ],
    "compare": [["compare", "ID", "last"], ["compare", "ID", "last", "--json"]],
    "diff": [["diff", "ID", "last"], ["diff", "ID", "last", "--json"]],
    "sql": [
        ["sql", "from runs"],
        ["sql", "from runs", "--json"],
        ["sql", "select name, notes from runs"],
        ["sql", "from figures"],
        ["sql", "from figures", "--json"],
        ["sql", f'select 1 as "{HOSTILE}"'],
        ["sql", "select repeat(name, 2) from runs, range(1001)"],
        ["sql", f"select error('{HOSTILE}')"],
        ["sql", "explain select * from runs"],
    ],
    "plot": [
        ["plot", "last", "-o", "PLOT.png"],
        ["plot", HOSTILE, "-o", "PLOT.png"],
        ["plot", "last", "-m", f"{HOSTILE}x"],
    ],
    "sweep": [["sweep", "curves", "contour", "-m", HOSTILE, "-o", f"PLOT{HOSTILE}"]],
    "report": [["report", "-m", HOSTILE, "-o", f"PLOT{HOSTILE}.png"]],
    "figure": [[]],
    "figure save": [
        ["figure", "save", HOSTILE, "curves", "-m", HOSTILE],
        ["figure", "save", "new", HOSTILE],
    ],
    "figure list": [["figure", "list"], ["figure", "list", "--json"]],
    "figure show": [
        ["figure", "show", "kept"],
        ["figure", "show", HOSTILE],
        ["figure", "show", HOSTILE, "--json"],
        ["figure", "show", f"{HOSTILE}x"],
    ],
    "figure rm": [
        ["figure", "rm", f"{HOSTILE}x"],
        ["figure", "rm", HOSTILE],
        ["figure", "rm", OTHER, "--json"],
    ],
    "replot": [
        ["replot", "kept", "-o", "PLOT.png"],
        ["replot", HOSTILE],
        ["replot", OTHER, "-o", "PLOT.png"],
        ["replot", f"{HOSTILE}x"],
    ],
    "tag": [["tag", "last", HOSTILE]],
    "note": [["note", "last", HOSTILE], ["note", "last", HOSTILE, "--json"]],
    "rename": [["rename", "last", HOSTILE]],
    "rm": [
        ["rm", "last", "--dry-run"],
        ["rm", HOSTILE],
        ["rm", "last"],
        ["rm", "last", "-y"],
    ],
    "export": [["export", "OUT", "--format", "csv"], ["export", "OUT"]],
    "copy": [["copy", f"OUT{HOSTILE}"]],
    "merge": [["merge", f"no{HOSTILE}.duckdb"], ["merge", "COPY"]],
    "compact": [["compact"], ["compact", "--json"]],
    "doctor": [["doctor"], ["doctor", "--json"]],
    "repair": [["repair", f"SAVED{HOSTILE}"]],
    "upgrade": [["upgrade"]],
}
"""Ways to ask each command; an error's line is an answer, too."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with hostile texts wherever there is a text."""
    path = tmp_path_factory.mktemp("hostile") / NAME
    for number in range(2):
        with start_run("one", "two", {"lr": number}, "group", ["tag"], store=path) as run:
            for step in range(5):
                run.log({"loss": step, "acc": step})
        run.finish(wait=True)
    with Store(path) as store:
        store.save_figure("kept", FigureSpec("curves", options={"metrics": [HOSTILE]}))
    config = json.dumps({HOSTILE: HOSTILE, "lr": 1})
    texts = ", ".join(f"{column} = $1" for column in COLUMNS)
    changes: list[tuple[str, list[str]]] = [(f"update runs set {texts}", [HOSTILE])]  # noqa: S608
    for old, new in (("loss", HOSTILE), ("acc", OTHER)):
        changes += [
            (f"update {table} set metric = $1 where metric = $2", [new, old])  # noqa: S608
            for table in ("points", "totals_")
        ]
    changes += [
        ("update runs set tags = [$1], config = $2", [HOSTILE, config]),
        ("update params_ set key = $1, text = $1", [HOSTILE]),
    ]
    # As another program may write them: one of a kind that there is, and one of none.
    for name, kind in ((HOSTILE, HOSTILE), (OTHER, "curves")):
        spec = FigureSpec(kind, options={HOSTILE: HOSTILE}, style={HOSTILE: HOSTILE})
        changes.append(
            (
                "insert into figures values ($1, $2, $3, now()::timestamp)",
                [name, HOSTILE, json.dumps(spec.to_json())],
            )
        )
    with duckdb.connect(str(path)) as connection:
        for statement, values in changes:
            connection.execute(statement, values)
    (path.with_name(f"{path.name}.journal") / HOSTILE.replace("/", "")).mkdir()
    return path


@pytest.fixture
def store_copy(hostile: Path, tmp_path: Path) -> Path:
    path = tmp_path / NAME
    shutil.copy(hostile, path)
    shutil.copytree(f"{hostile}.journal", f"{path}.journal")
    return path


def assert_tame(printed: str, *, is_colored: bool = False) -> None:
    text = _OURS.sub("", printed) if is_colored else printed
    for line in text.split("\n"):
        assert visible(line) == line, repr(line)
        assert not line.startswith("fake line")
    assert "38;5;201m\x1b" not in printed
    assert "\x1b[38;5;201m" not in printed


def names_of_commands(group: click.Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        yield f"{before}{name}"
        if isinstance(command, click.Group):
            yield from names_of_commands(command, f"{before}{name} ")


def test_every_command_is_asked() -> None:
    assert set(names_of_commands(main)) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("is_colored", [False, True])
def test_no_command_prints_what_a_terminal_would_obey(
    store_copy: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    *,
    is_colored: bool,
) -> None:
    with Store(store_copy) as store:
        first = store.runs()[-1].run_id
    copy = tmp_path / "copy.duckdb"
    if command == "merge":
        copy_store(store_copy, copy)
    monkeypatch.chdir(tmp_path)
    env = {"FORCE_COLOR": "1", "TERM": "xterm"} if is_colored else {"NO_COLOR": "1"}
    for words in COMMANDS[command]:
        filled = [
            str(copy) if word == "COPY" else first if word == "ID" else word
            for word in words
        ]
        done = CliRunner(env=env).invoke(
            main, ["--store", str(store_copy), *filled], color=True, input="n\n"
        )
        if done.exception is not None:
            assert isinstance(done.exception, SystemExit), (filled, done.exception)
        assert_tame(done.stdout, is_colored=is_colored)
        assert_tame(done.stderr, is_colored=is_colored)
        if "--json" in words:
            json.loads(done.stdout)


def test_csv_is_exact(store_copy: Path) -> None:
    query = ["sql", "select name from runs limit 1", "--format", "csv"]

    done = CliRunner().invoke(main, ["--store", str(store_copy), *query], color=True)

    assert HOSTILE.encode() in done.stdout_bytes


def test_json_means_what_the_store_holds(store_copy: Path) -> None:
    done = CliRunner().invoke(main, ["--store", str(store_copy), "show", "last", "--json"])

    found = json.loads(done.stdout)
    assert (found["name"], found["notes"], found["tags"]) == (HOSTILE, HOSTILE, [HOSTILE])
    assert found["config"] == {HOSTILE: HOSTILE, "lr": 1}


def test_json_means_what_is_kept_of_a_figure(store_copy: Path) -> None:
    done = CliRunner().invoke(
        main, ["--store", str(store_copy), "figure", "list", "--json"]
    )

    found = {one["name"]: one["kind"] for one in json.loads(done.stdout)}
    assert found == {"kept": "curves", HOSTILE: HOSTILE, OTHER: "curves"}


@pytest.mark.parametrize("shell", [BashComplete, ZshComplete, FishComplete])
def test_a_shell_is_offered_nothing_that_a_terminal_would_obey(
    store_copy: Path, monkeypatch: pytest.MonkeyPatch, shell: type[ShellComplete]
) -> None:
    monkeypatch.setenv("STEPWELL_STORE", str(store_copy))
    asked = shell(main, {}, "stepwell", "_STEPWELL_COMPLETE")

    offered = asked.get_completions(["figure", "show"], "")

    assert [item.value for item in offered] == ["kept"]
    for words in (["figure", "show"], ["replot"], ["show"], ["tag", "last"], ["best"]):
        for item in asked.get_completions(words, ""):
            line = asked.format_completion(item)
            assert_tame(line.replace("\n", " ").replace("\t", " "))  # a shell's own


@pytest.mark.parametrize("column", [20, 120])
def test_a_view_of_a_terminal_draws_nothing_that_it_would_obey(
    hostile: Path, column: int
) -> None:
    with Store(hostile) as store:
        follower = RunFollower(store, store.run("last").run_id)
        follower.look(0.0)
        view = follower.view()

    for stream in (sys.__stdout__, io.StringIO()):
        frame = encoder_of(stream).frame(view, column, 40)
        assert_tame(frame.decode(), is_colored=True)


def test_what_visualizers_print_is_tame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with start_run(HOSTILE, HOSTILE, store=tmp_path / NAME) as run:
            config = TrainingVisualizerConfig(window="none", table_interval=1)
            plain = RealTimeTrainingVisualizer(config, run=run)
            rich = RichTrainerVisualizer(VisualizationConfig(display="lines"), run=run)
            rich.start(3, HOSTILE)
            for step in range(3):
                plain.update_metrics({HOSTILE: step, f"{HOSTILE}!": "text"}, step)
                rich.update(TrainingSnapshot(step, custom_metrics={HOSTILE: step}))
            plain.save_plot(f"{HOSTILE}.png")
            plain.close()
            rich.close()
        dual = DualVisualizationSystem(3)
        dual.save_scientific_plots(f"{HOSTILE}.png")
        dual.cleanup()

    assert any(issubclass(one.category, MetricWarning) for one in caught)
    for one in caught:
        assert_tame(str(one.message))
    printed = capfd.readouterr()
    assert "egnp.exe" in printed.out
    assert_tame(printed.out)
    assert_tame(printed.err)


def test_errors_and_warnings_of_the_library_are_one_tame_line(store_copy: Path) -> None:
    asks: list[Callable[[Store], object]] = [
        lambda store: store.run(f"{HOSTILE}x"),
        lambda store: store.series("last", f"{HOSTILE}x"),
        lambda store: store.figure(f"{HOSTILE}x"),
        lambda store: store.sql(f"select error('{HOSTILE}')"),
        lambda store: stepwell.open_store(f"{store.location}{HOSTILE}/x", create=False),
        lambda store: stepwell.init(name=HOSTILE, tags=[3], store=store.location),  # type: ignore[list-item]
    ]
    with Store(store_copy) as store:
        for ask in asks:
            with pytest.raises(StepwellError) as caught:
                ask(store)
            assert_tame(str(caught.value))
            assert "\n" not in str(caught.value)
    lost = store_copy.with_name(f"{NAME}.journal") / HOSTILE.replace("/", "")
    lost.rmdir()
    with start_run(store=store_copy) as run, pytest.warns(StoreWarning) as said:
        (journal,) = lost.parent.glob("*.journal")
        journal.unlink()
        run.log({"loss": 1.0})
        run._writer.journal.say_if_removed()
    for one in said:
        assert_tame(str(one.message))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("größe 損失 🙂 a\u00a0b", "größe 損失 🙂 a\u00a0b"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x9b\x85", "\\x9b\\x85"),
        ("\u202e\u2066\u200f\u061c", "\\u202e\\u2066\\u200f\\u061c"),
        ("\u200b\ufeff\u3164\u2028", "\\u200b\\ufeff\\u3164\\u2028"),
        ("\U000e0041\U000e0100", "\\U000e0041\\U000e0100"),
        ("\udcff", "\\udcff"),
    ],
)
def test_what_nobody_would_see_is_shown_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_one_place_prints() -> None:
    root = Path(stepwell.__file__).parent
    raw = re.compile(r"click\.(?:secho|echo)\(|(?<![\w.])print\(|\bText\(|Text\.assemble")
    places = {"cli/output.py", "viz/base/print_lines.py"}
    for folder in ("cli", "viz", "store"):
        for path in sorted((root / folder).rglob("*.py")):
            if path.relative_to(root).as_posix() not in places:
                assert not raw.search(path.read_text()), path
    assert SECTIONS
