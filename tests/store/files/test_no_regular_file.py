"""Whatever has a store's name and is no file of its own: refused, never opened, kept."""

import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import stepwell
from stepwell.cli.entry_point import main
from stepwell.store import (
    Store,
    StoreLocationError,
    compact_store,
    copy_store,
    examine,
    merge_stores,
    open_store,
    repair_store,
    start_run,
    upgrade_store,
)
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:  # a socket's path may not be long
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def make_device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))  # as /dev/null
    except PermissionError:
        pytest.skip("only root may make a device")


def make_folder(path: Path) -> None:
    path.mkdir()


KINDS = [make_pipe, make_socket, make_device, make_folder]

ASKS: list[Callable[[Path], object]] = [
    lambda path: stepwell.init(store=path),
    lambda path: start_run(store=path),
    open_store,
    lambda path: open_store(path, create=False),
    Store,
    examine,
    compact_store,
    upgrade_store,
    lambda path: copy_store(path, path.with_name("copy.duckdb")),
    lambda path: repair_store(path, path.with_name("copy.duckdb")),
    lambda path: merge_stores([path], path.with_name("all.duckdb")),
]

COMMANDS = [
    ["ls"],
    ["show", "last"],
    ["best", "loss"],
    ["sql", "from runs"],
    ["doctor"],
    ["compact"],
    ["watch", "--once"],
    ["plot", "last"],
    ["rm", "last", "--yes"],
]


@pytest.fixture(params=KINDS)
def other_thing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "runs.duckdb"
    request.param(path)
    before = path.lstat()
    yield path
    after = path.lstat()
    assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name}


def test_it_is_refused_by_every_function(other_thing: Path) -> None:
    for ask in ASKS:
        with pytest.raises(StoreLocationError, match="and a store is a file") as caught:
            ask(other_thing)
        assert "\n" not in str(caught.value)


def test_it_is_refused_through_a_link(other_thing: Path) -> None:
    link = other_thing.with_name("link.duckdb")
    link.symlink_to(other_thing)
    try:
        with pytest.raises(StoreLocationError, match="and a store is a file"):
            open_store(link)
    finally:
        link.unlink()


def test_it_is_refused_by_every_command(other_thing: Path) -> None:
    for command in COMMANDS:
        done = CliRunner().invoke(main, ["--store", str(other_thing), *command])
        assert done.exit_code == 2, (command, done.output)
        assert "and a store is a file" in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("make", KINDS)
def test_what_takes_the_place_of_an_open_store_is_refused(
    store_path: Path, make: Callable[[Path], None]
) -> None:
    store = open_store(store_path)
    store_path.unlink()
    make(store_path)
    before = store_path.lstat()

    with pytest.raises(StoreLocationError, match="and a store is a file"):
        store.runs()

    assert store_path.lstat().st_ino == before.st_ino
    assert stat.S_IFMT(store_path.lstat().st_mode) == stat.S_IFMT(before.st_mode)


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("suffix", [".wal", ".wal.checkpoint", ".wal.recovery"])
def test_a_log_that_is_none_is_named(
    store_path: Path, make: Callable[[Path], None], suffix: str
) -> None:
    make(store_path.with_name(store_path.name + suffix))

    with pytest.raises(StoreLocationError, match=rf"\{suffix} is not taken into"):
        Store(store_path).runs()


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("suffix", [".new", ".compact"])
def test_what_has_the_name_of_a_file_in_the_making_is_no_obstacle(
    tmp_path: Path, make: Callable[[Path], None], suffix: str
) -> None:
    make(tmp_path / f"runs.duckdb{suffix}")

    with stepwell.init(store=tmp_path / "runs.duckdb", name="one") as run:
        run.log({"loss": 1.0})

    assert compact_store(tmp_path / "runs.duckdb").points == 1


def test_a_link_to_a_file_is_that_file(store_path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.duckdb"
    link.symlink_to(store_path.name)

    with stepwell.init(store=link, name="one"):
        pass

    assert Store(link).location == store_path
    assert [run.name for run in Store(store_path).runs()] == ["one"]
    assert link.is_symlink()
    assert not link.with_name("link.duckdb.journal").exists()


def test_a_link_to_nothing_is_where_the_store_comes_to(tmp_path: Path) -> None:
    link = tmp_path / "link.duckdb"
    link.symlink_to("runs.duckdb")

    open_store(link)

    assert stat.S_ISREG((tmp_path / "runs.duckdb").lstat().st_mode)


def test_a_database_of_two_names_is_refused_with_the_reason(store_path: Path) -> None:
    other = store_path.with_name("other.duckdb")
    store = open_store(store_path)
    other.hardlink_to(store_path)

    for path in (store_path, other):
        for ask in ASKS:
            with pytest.raises(StoreLocationError, match=r"2 names \(hard links\)"):
                ask(path)
    with pytest.raises(StoreLocationError, match=r"2 names \(hard links\)"):
        store.runs()

    other.unlink()
    assert store.runs() == []


@pytest.mark.parametrize("name", [".lock", ".gate"])
def test_a_lock_file_of_two_names_is_never_written_to(store_path: Path, name: str) -> None:
    precious = store_path.with_name("precious")
    precious.write_bytes(b"something else")
    folder = store_path.with_name(f"{store_path.name}.journal")
    folder.mkdir()
    (folder / name).hardlink_to(precious)

    with pytest.raises(StoreLocationError, match="it has 2 hard links; move it away"):
        Store(store_path).runs()

    assert precious.read_bytes() == b"something else"


@pytest.fixture
def mounted_twice(store_path: Path, tmp_path: Path) -> Iterator[Path]:
    """The folder of a store at a second place."""
    mount, place = shutil.which("mount"), tmp_path / "elsewhere"
    folder = tmp_path / "here"
    folder.mkdir()
    place.mkdir()
    shutil.copy(store_path, folder / "runs.duckdb")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a folder at a second place")
    done = subprocess.run([mount, "--bind", folder, place], check=False)
    if done.returncode:
        pytest.skip("no folder may be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_one_file_by_two_paths_is_one_lease(mounted_twice: Path, tmp_path: Path) -> None:
    here, there = (folder / "runs.duckdb" for folder in (tmp_path / "here", mounted_twice))
    runs = [stepwell.init(store=path, name=path.parent.name) for path in (here, there)]
    for run in runs:
        run.log({"loss": 1.0})
        run.finish()

    assert lease_of(resolve(here)) is lease_of(resolve(there))
    for path in (here, there):
        assert sorted(run.name for run in Store(path).runs()) == ["elsewhere", "here"]


@pytest.mark.parametrize("name", ["runs.duckdb", "new.duckdb"])
def test_one_file_by_links_and_roundabout_paths_is_one_lease(
    store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / "here"
    (folder / "below").mkdir(parents=True)
    shutil.copy(store_path, folder / "runs.duckdb")
    (tmp_path / "linked").symlink_to(folder)
    (tmp_path / "again").symlink_to("linked")
    (tmp_path / "other.duckdb").symlink_to(folder / name)
    monkeypatch.chdir(folder)
    paths: list[Path | str] = [
        tmp_path / "linked" / name,
        tmp_path / "again" / name,
        tmp_path / "other.duckdb",
        folder / "below" / ".." / name,
        Path(name),
        f"file://{tmp_path}/linked/{name}",
    ]

    wanted = lease_of(resolve(folder / name))
    assert {id(lease_of(resolve(path))) for path in paths} == {id(wanted)}

    for number, path in enumerate(paths):
        stepwell.init(store=path, name=str(number)).finish(wait=True)
    assert {id(lease_of(resolve(path))) for path in paths} == {id(wanted)}
    assert len(Store(folder / name).runs()) == len(paths)
    journals = [found.name for found in tmp_path.rglob("*.journal") if found.is_dir()]
    assert journals == [f"{name}.journal"]


def test_a_link_to_a_folder_at_its_second_place_is_one_lease_too(
    mounted_twice: Path, tmp_path: Path
) -> None:
    (tmp_path / "linked").symlink_to(mounted_twice)
    here, there = (
        folder / "runs.duckdb" for folder in (tmp_path / "here", tmp_path / "linked")
    )

    assert lease_of(resolve(there)) is lease_of(resolve(here))
    stepwell.init(store=there).finish(wait=True)
    assert len(Store(here).runs()) == 1


def test_one_store_in_the_making_by_two_paths_is_one_lease(
    mounted_twice: Path, tmp_path: Path
) -> None:
    paths = [folder / "new.duckdb" for folder in (tmp_path / "here", mounted_twice)]

    assert lease_of(resolve(paths[0])) is lease_of(resolve(paths[1]))
    other = [paths[0].with_name("other.duckdb"), paths[1]]
    assert lease_of(resolve(other[0])) is not lease_of(resolve(other[1]))


def test_a_database_alone_at_a_second_place_is_refused(
    mounted_twice: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "alone.duckdb"
    alone.touch()
    here = tmp_path / "here" / "runs.duckdb"
    open_store(here)
    subprocess.run(["mount", "--bind", here, alone], check=True)
    try:
        with pytest.raises(StoreLocationError, match=r"whose journals are beside it there"):
            open_store(alone)
    finally:
        subprocess.run(["umount", "--lazy", alone], check=True)


def test_a_file_that_comes_to_another_path_is_another_store(
    store_path: Path, tmp_path: Path
) -> None:
    stepwell.init(store=store_path, name="one").finish(wait=True)
    first = lease_of(resolve(store_path))
    moved = tmp_path / "moved.duckdb"
    store_path.rename(moved)

    assert lease_of(resolve(moved)) is not first
    assert [run.name for run in open_store(moved).runs()] == ["one"]
