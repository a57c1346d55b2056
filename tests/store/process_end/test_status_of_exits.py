"""How a program leaves is what becomes of its runs: real programs, each to its very end."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.store import Store

# Forked from one program that has loaded everything, each ending is a process whose
# program goes on behind the fork, and comes to the interpreter's own end.
ENDINGS = """
import argparse, atexit, contextlib, os, signal, sys, threading, time
import click, duckdb  # so that no helper has to load it
import stepwell
from stepwell.store.recording import open_runs

open_runs.fold_now = lambda location: None  # readers do it

class Refuses(Exception):
    def __str__(self):
        raise RuntimeError("no text")

def guarded(work):
    def run():
        try:
            work()
        except Exception as error:
            print(error, file=sys.stderr)
            sys.exit(1)
    return run

@guarded
def diverge():
    raise FloatingPointError("loss is nan")

class Ends(contextlib.ContextDecorator):
    # As of a library: it ends the program for any exception, by the code that is said.
    def __init__(self, say):
        self.say = say
    def __enter__(self):
        return self
    def __exit__(self, kind, error, trace):
        if isinstance(error, Exception):
            sys.exit(self.say(error))

@contextlib.contextmanager
def ends(code):
    try:
        yield
    except Exception:
        sys.exit(code)

@contextlib.contextmanager
def relays():
    try:
        yield
    except SystemExit as left:
        sys.exit(left.code)

class Reraises(contextlib.ContextDecorator):
    def __enter__(self):
        return self
    def __exit__(self, kind, error, trace):
        if error is not None:
            raise SystemExit(1) from error

def diverging(*wrappers):
    def train():
        raise FloatingPointError("loss is nan")
    for wrapper in reversed(wrappers):  # the first is the outermost
        train = wrapper(train)
    train()

@click.command()
@click.argument("how")
@click.pass_context
def command(context, how):
    if how == "error":
        raise click.ClickException("no data")
    if how == "usage":
        raise click.UsageError("no such set")
    if how == "abort":
        raise KeyboardInterrupt
    context.exit(int(how))

def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

def begin(how="raise"):
    global run
    run = stepwell.init(name=name)
    run.log({"loss": 1.0})
    if how == "raise":
        raise ValueError("no gradient")
    if how == "exit":
        sys.exit(3)
    if how == "handled":
        try:
            raise ValueError("no gradient")
        except ValueError:
            pass

for name, code in ENDINGS.items():
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        break
    os.waitpid(child, 0)
else:
    os._exit(0)
if not code.startswith("in_thread"):
    run = stepwell.init(name=name)
    run.log({"loss": 1.0})
exec(code)
"""

DIVERGED = ("failed", "FloatingPointError: loss is nan")

CASES = {
    "sys.exit(3)": ("failed", "SystemExit: 3"),
    "sys.exit('no data')": ("failed", "SystemExit: no data"),
    "sys.exit('')": ("failed", "SystemExit"),
    "sys.exit(' ')": ("failed", "SystemExit"),
    "raise ValueError('\\n')": ("failed", "ValueError"),
    "sys.exit([1])": ("failed", "SystemExit: [1]"),
    "sys.exit(0.0)": ("failed", "SystemExit: 0.0"),
    "import types; sys.modules['opcode'] = types.ModuleType('half loaded'); sys.exit(3)": (
        "failed",
        "SystemExit: 3",
    ),
    "sys.exit()": ("finished", None),
    "sys.exit(0)": ("finished", None),
    "sys.exit(False)": ("finished", None),
    "exit(4)": ("failed", "SystemExit: 4"),
    "quit()": ("finished", None),
    "raise SystemExit": ("finished", None),
    # Caught, so the program goes on to another end.
    "try: sys.exit(3)\nexcept SystemExit: pass": ("finished", None),
    "try: sys.exit(0)\nexcept SystemExit: raise ValueError('x')": (
        "failed",
        "ValueError: x",
    ),
    "try: sys.exit(3)\nexcept SystemExit: sys.exit(0)": ("finished", None),
    "try: sys.exit(3)\nfinally: time.sleep(0)": ("failed", "SystemExit: 3"),
    "try: sys.exit(3)\nexcept SystemExit: raise": ("failed", "SystemExit: 3"),
    "in_other = threading.Thread(target=sys.exit, args=(3,)); in_other.start()": (
        "finished",
        None,
    ),
    # What was handled says more than the number.
    "try: 1 / 0\nexcept ArithmeticError: sys.exit(1)": (
        "failed",
        "ZeroDivisionError: division by zero",
    ),
    "try: 1 / 0\nexcept ArithmeticError: sys.exit('gone')": ("failed", "SystemExit: gone"),
    "try: 1 / 0\nexcept ArithmeticError: sys.exit(0)": ("finished", None),
    "try: raise KeyboardInterrupt\nexcept KeyboardInterrupt: sys.exit(130)": (
        "interrupted",
        "KeyboardInterrupt",
    ),
    "diverge()": DIVERGED,
    "diverging(Ends(lambda _: 1))": DIVERGED,
    "diverging(Ends(lambda _: 'no luck'))": ("failed", "SystemExit: no luck"),
    "diverging(Ends(lambda error: f'error: {error}'))": (
        "failed",
        "SystemExit: error: loss is nan",
    ),
    "diverging(Ends(str))": ("failed", "SystemExit: loss is nan"),
    "diverging(Ends(lambda _: None))": ("finished", None),
    "diverging(ends(2))": DIVERGED,
    "diverging(ends('no luck'))": ("failed", "SystemExit: no luck"),
    "diverging(Ends(lambda _: 0), ends(2))": DIVERGED,
    "diverging(Reraises(), ends(2))": DIVERGED,
    "diverging(relays(), Reraises())": DIVERGED,
    "diverging(relays(), Ends(str))": ("failed", "SystemExit: loss is nan"),
    # click has handled it by then, and said it itself.
    "command(['error'])": ("failed", "SystemExit: 1"),
    "command(['usage'])": ("failed", "SystemExit: 2"),
    "command(['--nonsense'])": ("failed", "SystemExit: 2"),
    "command(['abort'])": ("failed", "SystemExit: 1"),
    "command(['7'])": ("failed", "SystemExit: 7"),
    "command(['0'])": ("finished", None),
    "argparse.ArgumentParser().parse_args(['--help'])": ("finished", None),
    "argparse.ArgumentParser().error('no such set')": ("failed", "SystemExit: 2"),
    "sys.excepthook = lambda *_: sys.exit(5)\nraise ValueError('hooked')": (
        "failed",
        "ValueError: hooked",
    ),
    "raise Refuses": ("failed", "Refuses"),
    "raise KeyboardInterrupt": ("interrupted", "KeyboardInterrupt"),
    # The last exception that somebody printed long ago is not the end.
    "sys.last_value = ValueError('old')": ("finished", None),
    # A run belongs to the thread in which it began.
    "in_thread(begin)": ("failed", "ValueError: no gradient"),
    "in_thread(lambda: begin('exit'))": ("failed", "SystemExit: 3"),
    "in_thread(lambda: begin('handled'))": ("finished", None),
    "in_thread(begin); run.finish()": ("failed", "ValueError: no gradient"),
    "in_thread(begin); run.config['late'] = 1": ("failed", "ValueError: no gradient"),
    "in_thread(begin); run.log({'loss': 0.5})": ("finished", None),
    "in_thread(begin); run.finish('finished')": ("finished", None),
    "in_thread(lambda: [begin(''), in_thread(lambda: 1 / 0)])": ("finished", None),
    "in_thread(lambda: setattr(threading, 'excepthook', print) or begin())": (
        "failed",
        "ValueError: no gradient",
    ),
}

WATCHED = """
import pickle, sys, threading, _sitebuiltins
import stepwell
before = sys.exit, _sitebuiltins.Quitter.__call__, threading.excepthook, sys.excepthook
first = stepwell.init(store=sys.argv[1])
second = stepwell.init(store=sys.argv[1])
assert pickle.loads(pickle.dumps(sys.exit)) is sys.exit
assert (sys.exit.__name__, sys.exit.__module__) == ("exit", "sys")
try:
    sys.exit(1, 2)
except TypeError:
    pass
first.finish()
assert sys.exit is not before[0]
second.finish()
assert before == (
    sys.exit, _sitebuiltins.Quitter.__call__, threading.excepthook, sys.excepthook
)
third = stepwell.init(store=sys.argv[1])
theirs = sys.exit = lambda status=None: before[0](status)
third.finish()
assert sys.exit is theirs
print("as before")
"""


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str | None]]:
    """How each of the endings is recorded."""
    folder = tmp_path_factory.mktemp("exits")
    program = folder / "ends.py"
    program.write_text(f"ENDINGS = {dict(zip(CASES, CASES, strict=True))!r}\n{ENDINGS}")
    done = subprocess.run(
        [sys.executable, program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "STEPWELL_STORE": str(folder / "s.duckdb")},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return {
        run.name: (run.status, run.exit_message)
        for run in Store(folder / "s.duckdb").runs()
        if run.name
    }


@pytest.mark.parametrize("code", CASES)
def test_an_exit(ends: dict[str, tuple[str, str | None]], code: str) -> None:
    assert ends[code] == CASES[code]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (["-c"], ("failed", "SystemExit: no data")),
        (["-m"], ("failed", "SystemExit: no data")),
        (["-m", "caught"], ("finished", None)),
    ],
)
def test_a_program_that_is_started_otherwise(
    store_path: Path, tmp_path: Path, start: list[str], end: tuple[str, str | None]
) -> None:
    code = (
        "import sys, stepwell\n"
        f"run = stepwell.init(store={str(store_path)!r})\n"
        "run.log({'loss': 1.0})\n"
        "try: sys.exit('no data')\n"
        "except SystemExit:\n"
        "    if sys.argv[1:] != ['caught']: raise\n"
    )
    (tmp_path / "program.py").write_text(code)
    how, *arguments = start
    what = {"-c": code, "-m": "program"}[how]
    command = [sys.executable, how, what, *arguments]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    (run,) = Store(store_path).runs()
    assert (run.status, run.exit_message) == end


def test_nothing_stays_wrapped_when_the_last_run_has_ended(
    store_path: Path, output: Callable[..., str]
) -> None:
    assert output(WATCHED, store_path) == "as before\n"
