"""What training and the command line load is little."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Output = Callable[..., str]

LOGS = """
import sys
import stepwell

run = stepwell.init("digits", config={"lr": 0.1}, store=sys.argv[1])
for number in range(100):
    run.log({"loss": number, "nested": {"accuracy": 1.0}, "none": None})
run.config["seed"] = 1
recorder = run.recorder()
recorder.log({"other": True}, step=5)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""

COMMAND = """
import contextlib
import io
import sys
from stepwell.cli import start

with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    start()
there = (name for name, module in sys.modules.items() if module is not None)
print(*sorted({name.partition(".")[0] for name in there}))
"""


def test_logging_a_run_loads_nothing_heavy(output: Output, store_path: Path) -> None:
    loaded = set(output(LOGS, store_path).split())

    heavy = {"alembic", "click", "duckdb", "matplotlib", "numpy", "pandas", "rich"}
    assert loaded & (heavy | {"sqlalchemy"}) == set()


def test_the_first_run_waits_for_no_module(output: Output, store_path: Path) -> None:
    code = """
        import stepwell, sys
        before = set(sys.modules)
        run = stepwell.init("digits", config={"lr": 0.1}, tags=["a"], store=sys.argv[1])
        run.log({"loss": 1.0})
        run.finish()
        later = {"stepwell.store.environment.git"}  # asked on the background thread
        print({name for name in set(sys.modules) - before - later if "stepwell" in name})
    """
    assert output(code, store_path).split() == ["set()"]


@pytest.mark.parametrize(
    ("arguments", "loads"),
    [
        (["train.py"], True),
        (["-c"], True),
        ([""], True),
        ([], True),
        (["/usr/bin/stepwell", "ls"], False),
        (["stepwell"], False),
        (["stepwell/train.py"], True),
    ],
)
def test_what_the_first_run_needs_is_not_loaded_for_the_command_line(
    output: Output, arguments: list[str], loads: bool
) -> None:
    code = f"""
        import sys
        sys.argv = {arguments!r}
        import stepwell
        print("stepwell.store.recording.start" in sys.modules)
        print(stepwell.init.__name__, stepwell.active_run())
    """
    assert output(code).split() == [str(loads), "init", "None"]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["ls", "--help"]])
def test_help_loads_nothing_heavy(output: Output, arguments: list[str]) -> None:
    loaded = set(output(COMMAND, *arguments).split())

    heavy = {"alembic", "duckdb", "matplotlib", "numpy", "pandas", "sqlalchemy"}
    assert loaded & heavy == set()


def test_the_list_of_commands_imports_none_of_them(output: Output) -> None:
    shows = "print(sorted(name for name in sys.modules if name in commands))"
    code = f"""{COMMAND}
commands = {{f"stepwell.cli.{{name}}" for name in (
    "run_commands.ls", "figure_commands.plot", "run_commands.edit", "run_commands.compare"
)}}
{shows}"""
    assert output(code, "--help").splitlines()[-1] == "[]"


def test_names_that_are_loaded_late_are_listed(output: Output) -> None:
    code = """
        import stepwell, sys
        print(set(stepwell.__all__) <= set(dir(stepwell)), "duckdb" in sys.modules)
        print(stepwell.init.__name__)
    """
    assert output(code).split() == ["True", "False", "init"]


def test_reading_does_not_load_alembic_where_the_schema_is_known(
    output: Output, store_path: Path
) -> None:
    output(LOGS, store_path)

    loaded = set(output(COMMAND, "--store", store_path, "ls", "--json").split())

    assert "duckdb" in loaded
    assert loaded & {"alembic", "matplotlib", "pandas", "sqlalchemy"} == set()


@pytest.mark.parametrize("arguments", [["ls"], ["sql", "from runs"], ["show", "last"]])
def test_no_command_loads_pandas(
    output: Output, store_path: Path, tmp_path: Path, arguments: list[str]
) -> None:
    pandas = tmp_path / "pandas.py"
    pandas.write_text("import os\nos._exit(3)\n")  # DuckDB passes over what it raises
    output(LOGS, store_path)

    loaded = output(COMMAND, "--store", store_path, *arguments, cwd=tmp_path)

    assert "duckdb" in loaded.split()
    assert "pandas" not in loaded.split()


def test_the_helper_does_not_need_the_training_to_be_importable(tmp_path: Path) -> None:
    program = tmp_path / "train.py"
    program.write_text("raise SystemExit('imported')")
    code = (
        "import sys, stepwell, time\n"
        "run = stepwell.init(store=sys.argv[1])\n"
        "run.log({'loss': 1.0})\n"
        "time.sleep(1.2)\n"
        "run.log({'loss': 1.0})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "runs.duckdb")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_a_command_does_not_load_what_duckdb_asks_for_its_version(
    output: Output, store_path: Path
) -> None:
    output(LOGS, store_path)
    code = f"""{COMMAND}
import duckdb, importlib.metadata
print("email.message" in there_before, duckdb.__version__)
print(importlib.metadata.version("duckdb"))
""".replace("import duckdb, ", "there_before = set(sys.modules); import duckdb, ")

    *_, loaded, real = output(code, "--store", store_path, "ls").splitlines()

    assert loaded.split() == ["False", real]


def test_what_else_is_asked_of_the_metadata_comes_from_the_real_module(
    output: Output,
) -> None:
    code = """
        import sys
        from stepwell.store.database import load_duckdb as light
        light.load_duckdb()
        print(light._version("click"), light._other("PackageNotFoundError").__name__)
        import importlib.metadata
        print(importlib.metadata.version("click"))
    """
    version, name, real = output(code).split()
    assert (version, name) == (real, "PackageNotFoundError")


@pytest.mark.parametrize("question", ["summary('one')", "leaderboard('loss').rows()"])
def test_a_small_question_waits_for_no_numpy(
    output: Output, store_path: Path, question: str
) -> None:
    code = f"""
        import stepwell, sys
        run = stepwell.start_run("digits", "one", store=sys.argv[1])
        run.log({{"loss": 1.0}})
        run.finish(wait=True)  # the helper folds: this process has loaded no DuckDB
        assert stepwell.open_store(sys.argv[1]).{question}
        print("numpy" in sys.modules)
    """
    assert output(code, store_path) == "False\n"
