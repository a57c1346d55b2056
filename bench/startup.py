"""Import, `stepwell --help`, and from `init()` to the first call."""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from _runs import log, noisy_calls
from _timing import Claim, compiled, folder, fresh, in_turn, main

import stepwell

ROOT = str(Path(stepwell.__file__).parent.parent)
COMMAND = str(Path(sys.executable).with_name("stepwell"))
LIGHT = ("matplotlib", "alembic", "pandas", "numpy", "duckdb", "sqlalchemy")
ROUNDS = 7

_LEASE = """
import sys, time
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
with lease_of(resolve(sys.argv[1])).exclusive():
    print("held", flush=True)
    time.sleep(60)
"""


def _took(*command: str) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - begin)


def _python(code: str, *options: str) -> float:
    return _took(sys.executable, *options, "-c", code)


def _import(*options: str) -> list[tuple[float, float]]:
    path = f"import sys; sys.path.append({ROOT!r}); " if "-S" in options else ""
    return in_turn(
        ROUNDS,
        lambda: _python(path, *options),
        lambda: _python(f"{path}import stepwell", *options),
    )


def loaded(code: str) -> int:
    """How many of the slow modules *code* loads."""
    given = f"import sys\n{code}\nprint(sum(m in sys.modules for m in {LIGHT!r}))"
    done = subprocess.run(
        [sys.executable, "-c", given], check=True, text=True, stdout=subprocess.PIPE
    )
    return int(done.stdout.splitlines()[-1])


def first_run(store: str) -> None:
    """Make a store with something in it."""
    run = stepwell.init(store=store)
    log(run, 1000)
    run.finish()


def first_call(store: str) -> float:
    """Milliseconds from `init()` to the first call's return."""
    values = noisy_calls(1)[0]
    begin = time.perf_counter()
    run = stepwell.init(store=store)
    run.log(values)
    return 1000 * (time.perf_counter() - begin)


def named_runs(store: str) -> float:
    """Milliseconds of `init` with an id that is new, while ended runs wait for a fold."""
    values, spent = noisy_calls(1)[0], []
    for number in range(60):
        begin = time.perf_counter()
        run = stepwell.init(id=f"run-{number}", store=store)
        spent.append(time.perf_counter() - begin)
        for _ in range(2000):
            run.log(values)
        run.finish()
    return 1000 * median(spent)


def _started(repetitions: int, store: Path) -> list[float]:
    return [fresh(first_call, store) for _ in range(repetitions)]


def _started_beside(repetitions: int, store: Path) -> list[float]:
    holder = subprocess.Popen(
        [sys.executable, "-c", _LEASE, store], stdout=subprocess.PIPE, text=True
    )
    try:
        if holder.stdout:
            holder.stdout.readline()
        return [fresh(start_and_vanish, store) for _ in range(repetitions)]
    finally:
        holder.kill()
        holder.communicate()


def start_and_vanish(store: str) -> None:
    """As `first_call`, in a process that does not stay for its last fold."""
    print(f"\n{first_call(store)}", flush=True)
    os._exit(0)


def measure(repetitions: int) -> list[Claim]:
    """Whole processes, in turn with a bare Python."""
    bare, plain, commands = [], [], []
    with compiled():
        _took(COMMAND, "--help")
        _import("-S")
        for _ in range(repetitions):
            bare.append(median(b - a for a, b in _import("-S")))
            plain.append(median(b - a for a, b in _import()))
            commands.append(median(_took(COMMAND, "--help") for _ in range(ROUNDS)))
    with folder() as path:
        store = path / "store.duckdb"
        fresh(first_run, store)
        started = _started(repetitions, store)
        beside = _started_beside(repetitions, store)
        named = [
            fresh(named_runs, path / f"named-{number}.duckdb")
            for number in range(repetitions)
        ]
    help_code = "from stepwell.cli import main\nmain(['--help'], standalone_mode=False)"
    return [
        Claim("import stepwell, above python -S", bare, "ms", most=60),
        Claim("import stepwell, above python", plain, "ms", most=60),
        Claim("slow modules it loads", [loaded("import stepwell")], "", most=0),
        Claim("stepwell --help, whole process", commands, "ms", most=150),
        Claim("slow modules it loads", [loaded(help_code)], "", most=0),
        Claim("init() to first call, existing store", started, "ms", most=50),
        Claim("the same while another holds the store", beside, "ms", most=50),
        Claim("init(id=…) of a new run, median of 60", named, "ms", most=10),
    ]


if __name__ == "__main__":
    main(measure)
