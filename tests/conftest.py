"""What the tests of the store share: real files and real processes."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stepwell.store import Store
from stepwell.store._format import Header
from stepwell.store._identity import new_run_id, new_writer_id
from stepwell.store._liveness import host_name, machine, process_started
from stepwell.store._location import prepare_folder, resolve
from stepwell.store._writer import RunWriter


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """Where a test's store is."""
    return tmp_path / "runs.duckdb"


@pytest.fixture
def make_writer(store_path: Path) -> Iterator[Callable[..., RunWriter]]:
    """Makes writers of this process that nothing folds in the background."""
    made = []

    def make(started: dict[str, Any] | None = None, **fields: Any) -> RunWriter:
        location = resolve(store_path)
        prepare_folder(location)
        known: dict[str, Any] = {
            "run_id": new_run_id(),
            "writer": new_writer_id(),
            "name": "lone",
            "project": None,
            "host": host_name(),
            "machine": machine(),
            "pid": os.getpid(),
            "process_started": process_started(os.getpid()) or 0,
            "rank": 0,
            "attempt": 1,
            "primary": True,
        }
        start = {"name": "lone", "config": {}, "time": time.time_ns()} | (started or {})
        writer = RunWriter(location, Header(**known | fields), start)
        made.append(writer)
        return writer

    yield make
    for writer in made:
        writer.abandon()


@pytest.fixture
def python(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts Python programs; those that still run are killed in the end."""
    started = []

    def start(code: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
        defaults: dict[str, Any] = {"cwd": tmp_path, "text": True}
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen(command, **defaults | pipes | options)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def output(python: Callable[..., subprocess.Popen[str]]) -> Callable[..., str]:
    """Runs a Python program to its end and gives what it printed; it must not fail."""

    def run(code: str, *arguments: object, **options: Any) -> str:
        process = python(code, *arguments, **options)
        printed, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
        return printed

    return run


@pytest.fixture
def rows(store_path: Path) -> Callable[..., list[tuple[Any, ...]]]:
    """Asks the test's store in SQL."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        return Store(store_path).sql(query).fetchall()

    return ask


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Look again and again, for as long as it takes."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Waits until a condition holds."""
    return wait_until
