"""What lies among the journals and is no file is passed over, and stops nobody."""

import os
import signal
import socket
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import (
    Store,
    StoreWarning,
    copy_store,
    examine,
    merge_stores,
    start_run,
)
from stepwell.store.base.ids import new_run_id, new_writer_id
from stepwell.store.files.regular_files import open_regular

KINDS = ("pipe", "socket", "device", "link", "folder")


@pytest.fixture(autouse=True)
def ends_in_time() -> Iterator[None]:
    """Whatever waits for the other end of a pipe is ended, and fails."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError("waited for something that never comes")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def plant(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            folder = os.open(path.parent, os.O_RDONLY)  # its path may be too long
            made.bind(f"/proc/self/fd/{folder}/{path.name}")
            os.close(folder)
    elif kind == "device":
        try:
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("making a device is the superuser's")
    elif kind == "link":
        pipe = path.parent.parent / "pipe"
        if not pipe.exists():
            os.mkfifo(pipe)
        path.symlink_to(pipe)
    else:
        path.mkdir()


def plant_all(store: Path, kind: str, run_id: str) -> list[Path]:
    folder = store.with_name(store.name + ".journal")
    folder.mkdir(exist_ok=True)
    journal = f"{run_id}-{new_writer_id()}.journal"
    names = (journal, f"{journal}.damaged", "old.journal", "x.damaged", "notes")
    planted = [folder / name for name in names]
    for path in planted:
        plant(path, kind)
    for name in (".directory", ".directory.new"):
        (folder / name).unlink(missing_ok=True)
        plant(folder / name, kind)
    return planted


@pytest.mark.parametrize("kind", KINDS)
def test_every_command_passes_over_what_is_no_file(
    store_path: Path, tmp_path: Path, kind: str
) -> None:
    run_id = new_run_id()
    planted = plant_all(store_path, kind, run_id)
    before = [(path.name, path.lstat()) for path in planted]

    with start_run(name="a", id=run_id, store=store_path) as run:
        run.log({"loss": 1.0})
    with start_run(name="a", id=run_id, store=store_path, resume="must") as run:
        run.log({"loss": 2.0})
    store = Store(store_path)
    assert store.summary("a")["loss"].count == 2
    found = [one.message for one in examine(store_path) if not one.is_ok]
    assert sum(message.endswith(f"is a {kind}") for message in found) >= len(planted)
    copied = copy_store(store_path, tmp_path / "copy.duckdb")
    assert (copied.runs, copied.points) == (1, 2)
    (merged,) = merge_stores([store_path], tmp_path / "merged.duckdb")
    assert (merged.new, merged.points) == (1, 2)
    for command in (["compact"], ["repair", str(tmp_path / "repaired.duckdb")], ["ls"]):
        result = CliRunner().invoke(main, [*command, "--store", str(store_path)])
        assert result.exit_code == 0, result.output
    with pytest.warns(StoreWarning, match=f"was not removed: it is a {kind}") as said:
        assert len(store.remove_runs("a")) == 1
    assert len(said) == 2
    assert store.runs() == []
    assert [(path.name, path.lstat()) for path in planted] == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [".gate", ".lock", ".compact"])
def test_something_else_in_a_locks_place_is_an_error_that_names_it(
    store_path: Path, kind: str, name: str
) -> None:
    folder = store_path.with_name(store_path.name + ".journal")
    folder.mkdir(exist_ok=True)
    (folder / name).unlink(missing_ok=True)
    plant(folder / name, kind)

    command = "compact" if name == ".compact" else "ls"
    result = CliRunner().invoke(main, [command, "--store", str(store_path)])

    assert result.exit_code == 2
    assert str(folder / name) in result.output
    assert len(result.output.splitlines()) == 1
    assert any(not one.is_ok and name in one.message for one in examine(store_path))


def test_what_takes_the_place_of_a_file_that_was_seen_is_not_waited_for(
    tmp_path: Path,
) -> None:
    plant(tmp_path / "pipe", "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")

    for path in (tmp_path / "pipe", tmp_path / "link", tmp_path):
        with pytest.raises(OSError, match=r"no regular file|symbolic"):
            open_regular(path)
    (tmp_path / "file").write_bytes(b"something")
    with open_regular(tmp_path / "file") as file:
        assert file.read() == b"something"


def test_a_link_to_a_journal_is_not_folded_a_second_time(store_path: Path) -> None:
    with start_run(name="a", store=store_path) as run:
        run.log({"loss": 1.0})
        Store(store_path).runs()
        (journal,) = store_path.parent.glob("*.journal/*.journal")
        journal.with_name(f"{new_run_id()}-{new_writer_id()}.journal").symlink_to(journal)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert [info.name for info in Store(store_path).runs()] == ["a"]
