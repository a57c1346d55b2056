"""A run goes on where it was begun, and not where its files were copied to."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.store import Store, start_run
from stepwell.store.files.location import resolve
from stepwell.store.journal.files import list_journals

Python = Callable[..., subprocess.Popen[str]]

GOES_ON = """
import sys
import stepwell
from stepwell.store.recording import background
background.PERIOD = background.SETTLE = 3600.0  # nothing writes what is being copied
with stepwell.init(store=sys.argv[1], name="one") as run:
    run.log({"loss": 1.0})
    print("logged", flush=True)
    for line in sys.stdin:
        run.log({"loss": 2.0})
        print("logged", flush=True)
"""


@pytest.fixture
def training(store_path: Path, python: Python) -> subprocess.Popen[str]:
    """A program whose run goes on; a line given to it is another point."""
    process = python(GOES_ON, store_path)
    wait_for_word(process)
    return process


def wait_for_word(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    assert process.stdout.readline() == "logged\n", process.communicate()


def log_another(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()
    wait_for_word(process)


def end(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors


def seen(path: Path) -> dict[str | None, tuple[str, int]]:
    """The status of each run, and how many points of its loss there are."""
    store = Store(path)
    return {
        run.name: (run.status, store.summary(run)["loss"].count) for run in store.runs()
    }


def lone_journal(path: Path) -> Path:
    (journal,) = list_journals(resolve(path).journals)
    return journal.path


def copy_database(path: Path, folder: Path) -> Path:
    """A copy of a database, and of what DuckDB may have beside it."""
    folder.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        if file.is_file():
            shutil.copy2(file, folder)
    return folder / path.name


@pytest.mark.parametrize("place", [shutil.copy, shutil.copy2])
def test_a_journal_in_a_store_that_has_a_database_does_not_run_there(
    store_path: Path,
    tmp_path: Path,
    training: subprocess.Popen[str],
    place: Callable[[Path, Path], object],
) -> None:
    other = tmp_path / "other.duckdb"
    with start_run(store=other, name="own") as own:
        own.log({"loss": 0.5})
    assert seen(other) == {"own": ("finished", 1)}
    journal = lone_journal(store_path)
    resolve(other).journals.mkdir(exist_ok=True)
    place(journal, resolve(other).journals / journal.name)

    assert seen(other) == {"own": ("finished", 1), "one": ("crashed", 1)}
    assert seen(store_path) == {"one": ("running", 1)}

    log_another(training)
    assert seen(store_path) == {"one": ("running", 2)}
    end(training)
    assert seen(store_path) == {"one": ("finished", 2)}


@pytest.mark.parametrize("is_folded", [False, True])
def test_a_folder_that_is_copied_with_its_store_has_no_run_that_goes_on(
    store_path: Path, tmp_path: Path, training: subprocess.Popen[str], is_folded: bool
) -> None:
    if is_folded:
        assert seen(store_path) == {"one": ("running", 1)}
        log_another(training)
    copied = copy_database(store_path, tmp_path / "copied")
    shutil.copytree(resolve(store_path).journals, resolve(copied).journals)

    points = 1 + is_folded
    assert seen(copied) == {"one": ("crashed", points)}
    assert seen(store_path) == {"one": ("running", points)}

    log_another(training)
    end(training)
    assert seen(store_path) == {"one": ("finished", points + 1)}
    assert seen(copied) == {"one": ("crashed", points)}


def test_a_database_that_is_copied_alone_has_no_run_that_goes_on(
    store_path: Path, tmp_path: Path, training: subprocess.Popen[str]
) -> None:
    assert seen(store_path) == {"one": ("running", 1)}
    copied = copy_database(store_path, tmp_path / "copied")

    assert seen(copied) == {"one": ("crashed", 1)}
    assert seen(store_path) == {"one": ("running", 1)}
    end(training)


def test_a_journal_that_two_stores_share_by_a_link_loses_nothing(
    store_path: Path, tmp_path: Path, training: subprocess.Popen[str]
) -> None:
    """Each store takes in what is new, whichever removes its name of the file first."""
    other = tmp_path / "other.duckdb"
    journal = lone_journal(store_path)
    resolve(other).journals.mkdir()
    os.link(journal, resolve(other).journals / journal.name)
    for points in (1, 2):
        assert [seen(path)["one"][1] for path in (other, store_path)] == [points] * 2
        log_another(training)
    end(training)
    assert seen(other) == seen(store_path) == {"one": ("finished", 3)}
