"""Files that are closed to whoever asks are named: no points are missing in silence."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stepwell.store import start_run
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest.ingest import fold
from stepwell.store.recording.run_writer import RunWriter

GONE = {"process_started": 1}  # a process id that was given to another process since
START = "from stepwell.cli.entry_point import start; start()"
WITHOUT_POWER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]

pytestmark = pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="needs setpriv"
)


@pytest.fixture
def journal(
    store_path: Path, make_writer: Callable[..., RunWriter]
) -> Iterator[tuple[Path, Path]]:
    """A store with a folded run, and a journal that is not folded."""
    with start_run(name="folded", store=store_path) as run:
        run.log({"loss": 1.0})
    fold(lease_of(resolve(store_path)))
    make_writer(name="waiting", **GONE)
    (path,) = (store_path.parent / "runs.duckdb.journal").glob("*.journal")
    yield store_path, path
    for opened in (store_path.parent, path.parent):
        opened.chmod(0o755)


def stepwell(*arguments: object) -> tuple[int, str, str]:
    """Run a command as its user, for whom modes hold even if that is the superuser."""
    command = [sys.executable, "-c", START, *map(str, arguments)]
    if os.geteuid() == 0:
        command = [*WITHOUT_POWER, *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_journal_that_may_not_be_read_is_told_of(journal: tuple[Path, Path]) -> None:
    store, path = journal
    path.chmod(0)

    code, listed, warned = stepwell("ls", "--store", store)
    refused, _, error = stepwell("copy", store.with_name("copy.duckdb"), "--store", store)

    assert (code, "folded" in listed, "waiting" in listed) == (0, True, False)
    (line,) = warned.splitlines()
    assert line.startswith(f"Warning: {path} is not read (Permission denied), and its poi")
    assert refused == 2
    (line,) = error.splitlines()
    assert f"{path}: Permission denied; check its owner" in line


def test_a_database_that_may_not_be_read_is_a_finding(journal: tuple[Path, Path]) -> None:
    store, _ = journal
    store.chmod(0)

    code, printed, error = stepwell("--store", store, "doctor")
    refused, _, said = stepwell("ls", "--store", store)

    assert (code, error) == (1, "")
    (line,) = (line for line in printed.splitlines() if not line.startswith("✓ "))
    assert re.match(r"✗ database +no permission to open .*; check its owner", line)
    assert refused == 2
    assert said == f"Error: no permission to open {store}; check its owner and mode\n"


def test_a_store_that_can_only_be_read_is_a_finding(journal: tuple[Path, Path]) -> None:
    store, path = journal
    for each in (path.parent, store.parent):
        each.chmod(0o555)

    code, printed, _ = stepwell("doctor", "--store", store)

    assert code == 1
    (line,) = (line for line in printed.splitlines() if not line.startswith("✓ "))
    assert re.match(r"! access +.* can only be read, and 1 journal may hold .*; ch", line)


def test_a_lock_file_that_may_not_be_opened_is_named(journal: tuple[Path, Path]) -> None:
    store, path = journal
    for name in (".gate", ".lock"):
        path.with_name(name).chmod(0)

    code, _, error = stepwell("ls", "--store", store)

    assert code == 2
    gate = path.with_name(".gate")
    words = "Permission denied; check its owner and mode"
    assert error == f"Error: cannot open the store's lock file {gate}: {words}\n"
