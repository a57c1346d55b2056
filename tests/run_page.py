"""Run the code of pages, each in a folder and a process of its own.

`python run_page.py` reads JSON from standard input, a line a page: its path, its folder and
a file for what it prints. It answers with the exit code. The processes are forked from this
one, which has loaded what takes long and is none of Stepwell's.

A page is one program: its blocks run in order, in this process and one namespace. What it
takes for granted is made first by the program of its name in `tests/pages`. The last line
that is printed says what became of each block, as JSON.

A fence names a language, and may have attributes:

- `python`: run; with `file="train.py"` written into that file instead.
- `sh`: each command is run; those of `stepwell` in this process. `exit="1"` is the exit
  code expected of the last one, `options="--epochs 1"` is added to programs of `examples`.
- `sql`: a query to the store.
- `text`, and MyST's directives: no code.
- `not-run="why"` on any of them: not run.
"""

import gc
import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import duckdb
from click.testing import CliRunner

import stepwell
from stepwell.cli import main as stepwell_command
from stepwell.store.recording.background import keeper
from stepwell.store.recording.open_runs import fold_now

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^```(\S+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
KNOWN_ATTRIBUTES = {"file", "exit", "options", "not-run"}
NO_CODE = {"text", "{toctree}", "{eval-rst}", "{include}"}
WHOLE = ("for ", "while ", "if ")  # a block with such a line is one command
SHELL_SIGNS = set("|<>&;$*?~()`")
SLOW_TO_IMPORT = ("alembic.command", "duckdb_sqlalchemy", "matplotlib.backends.backend_agg")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    line: int
    language: str
    attributes: dict[str, str]
    code: str


def blocks_of(text: str) -> list[Block]:
    """The blocks of a page, in order."""
    return [
        Block(
            text.count("\n", 0, found.start()) + 1,
            found[1],
            dict(ATTRIBUTE.findall(found[2])),
            found[3],
        )
        for found in FENCE.finditer(text)
    ]


def commands(code: str) -> list[str]:
    """The commands of a shell's block, without comments."""
    joined = code.replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if shlex.split(line, comments=True)]
    return [joined] if any(line.startswith(WHOLE) for line in lines) else lines


def run_shell(block: Block) -> None:
    """Run each command of a block; all must succeed, but for the last if it is said."""
    *firsts, last = commands(block.code)
    for line in firsts:
        run_command(line, 0, block.attributes.get("options"))
    exit_code = int(block.attributes.get("exit", 0))
    run_command(last, exit_code, block.attributes.get("options"))


def run_command(line: str, expected: int, options: str | None) -> None:
    """Run one command; one of `stepwell` in this process, which spares its start."""
    words = shlex.split(line, comments=True)
    unquoted = set(re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "", line))
    if words[0] == "export":
        for word in words[1:]:
            name, _, os.environ[name] = word.partition("=")
        return
    if words[0] == "stepwell" and not SHELL_SIGNS & unquoted:
        result = CliRunner().invoke(stepwell_command, words[1:], input="y\n")
        print(f"$ {line}\n{result.output}")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        code = result.exit_code
    else:
        added = f" {options}" if options and words[0] == "python" else ""
        command = f"{line.partition(' #')[0]}{added}"
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], check=False)
        code = done.returncode
    if code != expected:
        raise SystemExit(f"{line}\nended with {code}, not {expected}")


def run(block: Block, page: str, namespace: dict[str, Any]) -> str:
    """Run a block; says what was done."""
    unknown = set(block.attributes) - KNOWN_ATTRIBUTES
    if unknown:
        raise SystemExit(f"{page}:{block.line}: unknown attributes {unknown}")
    if "not-run" in block.attributes:
        return "not run"
    if block.language in NO_CODE:
        return "no code"
    if "file" in block.attributes:
        Path(block.attributes["file"]).write_text(block.code)
        return "written"
    print(f"-- {page}:{block.line}", flush=True)
    if block.language == "python":
        exec(compile("\n" * block.line + block.code, page, "exec"), namespace)
        fold_ended()
    elif block.language == "sh":
        run_shell(block)
    elif block.language == "sql":
        with stepwell.open_store(create=False) as store:
            store.sql(block.code).fetchall()
    else:
        raise SystemExit(f"{page}:{block.line}: unknown language {block.language}")
    return "run"


def fold_ended() -> None:
    """Fold the runs that a block has ended, as the end of a program does."""
    for location in keeper.unfolded():
        fold_now(location)


def run_page(page: Path) -> None:
    """Run a page, and what must be there before."""
    name = page.relative_to(ROOT).as_posix()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    Path("examples").symlink_to(ROOT / "examples")
    before = Path(__file__).parent / "pages" / f"{page.stem.replace('-', '_')}.py"
    if before.exists():
        exec(compile(before.read_text(), str(before), "exec"), {"__name__": "before"})
    namespace: dict[str, Any] = {"__name__": "__main__"}
    fates = [
        (block.line, block.language, run(block, name, namespace))
        for block in blocks_of(page.read_text(encoding="utf-8"))
    ]
    print("\n" + json.dumps(fates))


def import_all() -> None:
    """Import what pages may need, so that each has it at once."""
    for layer in ("stepwell.store", "stepwell.viz", "stepwell.cli"):
        for module in walk_packages(import_module(layer).__path__, f"{layer}."):
            import_module(module.name)
    for name in SLOW_TO_IMPORT:
        import_module(name)
    with suppress(ImportError):  # optional; DuckDB looks for it at each parameter
        import_module("pandas")
    duckdb.close()  # DuckDB's own connection has threads, which a child would miss
    gc.freeze()


def main() -> None:
    """Run the pages that are asked for."""
    import_all()
    for request in sys.stdin:
        page, folder, output = json.loads(request)
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            with open(os.devnull) as nothing, open(output, "w") as printed:  # noqa: PTH123
                os.dup2(nothing.fileno(), 0)
                os.dup2(printed.fileno(), 1)
                os.dup2(printed.fileno(), 2)
            run_page(Path(page))
            return  # as a program does that comes to its end
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
