"""A run goes on where it was begun, and not where its files were copied to."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.store import Store, StoreWarning, start_run
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


@pytest.mark.parametrize("goes_on", [True, False])
@pytest.mark.parametrize("times", [1, 2])
def test_a_journal_that_is_copied_again_when_it_is_longer_adds_what_is_new(
    store_path: Path,
    tmp_path: Path,
    training: subprocess.Popen[str],
    times: int,
    goes_on: bool,
) -> None:
    """No warning: warnings are errors here."""
    other = tmp_path / "other.duckdb"
    with start_run(store=other, name="own") as own:
        own.log({"loss": 0.5})
    journal = lone_journal(store_path)
    folder = resolve(other).journals
    shutil.copy2(journal, folder / journal.name)
    assert seen(other)["one"] == ("crashed", 1)
    assert not list_journals(folder)

    for points in range(2, 2 + times):
        log_another(training)
        shutil.copy2(journal, folder / journal.name)
        assert seen(other)["one"] == ("crashed", points)
        assert not list(folder.glob("*.damaged"))
    shutil.copy2(journal, folder / journal.name)  # and as long as before
    assert seen(other)["one"] == ("crashed", 1 + times)
    if not goes_on:
        kept = tmp_path / journal.name
        os.link(journal, kept)
        end(training)
        shutil.copy2(kept, folder / journal.name)
        assert seen(other)["one"] == ("finished", 1 + times)
    assert not list_journals(folder)
    assert not list(folder.glob("*.damaged"))


def test_a_longer_copy_that_is_damaged_behind_what_was_read_is_set_aside(
    store_path: Path, tmp_path: Path, training: subprocess.Popen[str]
) -> None:
    other = tmp_path / "other.duckdb"
    with start_run(store=other, name="own"):
        pass
    journal = lone_journal(store_path)
    place = resolve(other).journals / journal.name
    shutil.copy2(journal, place)
    assert seen_of_one(other) == ("crashed", 1)

    whole = journal.stat().st_size
    log_another(training)
    log_another(training)
    data = bytearray(journal.read_bytes())
    data[whole + 20] ^= 0xFF
    place.write_bytes(data)
    with pytest.warns(StoreWarning, match="is damaged"):
        assert seen_of_one(other) == ("crashed", 1)
    assert list(place.parent.glob("*.damaged"))


def seen_of_one(path: Path) -> tuple[str, int]:
    store = Store(path)
    run = store.run("one")
    return run.status, store.summary(run)["loss"].count
