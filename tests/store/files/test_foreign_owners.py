"""In a folder where others may write: nothing of a stranger is followed or believed."""

import functools
import os
import shutil
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import stepwell
from stepwell import migrations
from stepwell.store import (
    Store,
    StoreLocationError,
    StoreWarning,
    compact_store,
    copy_store,
    examine,
    merge_stores,
    open_store,
    repair_store,
    start_run,
)
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.viz import save_run_figure

STRANGER = 65534
GROUP = 65533

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users")


@pytest.fixture(scope="module")
def open_program() -> None:
    """Skips where others may not read what they are to run."""
    for folder in map(Path, migrations.__path__):
        for path in (folder, *folder.resolve().parents):
            if not path.stat().st_mode & 0o001:
                pytest.skip(f"{path} is closed to others, and the program lies in it")
    # Loads what they may not, where Python itself is closed to them.
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch, "runs.duckdb")
        record(store)
        names_in(store)


@pytest.fixture
def shared(open_program: None) -> Iterator[Path]:
    """A folder that everybody may write to, as /tmp is."""
    before = os.umask(0o022)
    with tempfile.TemporaryDirectory() as folder:  # pytest's are closed to others
        Path(folder).chmod(0o1777)
        yield Path(folder)
    os.umask(before)


def as_user(user: int, work: Callable[[], object]) -> str:
    """What *work* gives, as text, in a child that is another user, one of `GROUP`."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        said = "nothing"
        try:
            warnings.simplefilter("error")
            os.setgroups([GROUP])
            os.setgid(user)
            os.setuid(user)
            said = str(work())
        except BaseException:  # noqa: BLE001 (the parent shows it)
            said = traceback.format_exc()
        finally:
            os.write(theirs, said.encode())
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    if "Permission denied: '/root" in said or "ModuleNotFoundError" in said:
        pytest.skip("the interpreter's folder is closed to others")
    assert "Traceback" not in said, said
    return said


def names_in(path: Path) -> str:
    with Store(path) as store:
        return " ".join(sorted(run.name for run in store.runs()))


def record(path: Path, name: str = "mine", losses: int = 3) -> None:
    with start_run(name=name, store=path) as run:
        for number in range(losses):
            run.log({"loss": number})
    run.finish(wait=True)


def journals_of(path: Path) -> Path:
    return path.with_name(path.name + ".journal")


def journal_of_a_stranger(path: Path, folder: Path) -> Path:
    """A journal that was never folded, and is another user's now."""
    source = folder / "theirs.duckdb"
    run = start_run(name="theirs", store=source)
    run.log({"loss": 1e9})
    (journal,) = journals_of(source).glob("*.journal")
    planted = journals_of(path) / journal.name
    shutil.copy(journal, planted)
    os.chown(planted, STRANGER, STRANGER)
    run.finish()
    return planted


def test_a_journal_folder_of_a_stranger_is_not_used(shared: Path) -> None:
    path = shared / "runs.duckdb"
    journals_of(path).mkdir()
    os.chown(journals_of(path), STRANGER, STRANGER)
    wanted = rf"is a folder of .*\(user {STRANGER}\) in a folder that others may write to"

    for ask in (open_store, lambda path: stepwell.init(store=path)):
        with pytest.raises(StoreLocationError, match=wanted):
            ask(path)

    assert list(journals_of(path).iterdir()) == []
    assert not path.exists()


@pytest.mark.parametrize("owner", [0, STRANGER])
def test_a_link_in_place_of_the_journal_folder_is_not_followed(
    shared: Path, tmp_path: Path, owner: int
) -> None:
    path, elsewhere = shared / "runs.duckdb", tmp_path / "elsewhere"
    elsewhere.mkdir()
    journals_of(path).symlink_to(elsewhere)
    os.chown(journals_of(path), owner, owner, follow_symlinks=False)

    with pytest.raises(StoreLocationError, match="is a link, and not used for journals"):
        stepwell.init(store=path)
    with pytest.raises(StoreLocationError, match="is a link, and not used for journals"):
        Store(path).runs()

    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", [".lock", ".gate", ".compact"])
def test_a_lock_file_of_a_stranger_is_not_used(shared: Path, name: str) -> None:
    path = shared / "runs.duckdb"
    record(path)
    journals_of(path).chmod(0o1777)
    lock = journals_of(path) / name
    lock.write_bytes(b"theirs")
    os.chown(lock, STRANGER, STRANGER)

    lease_of(resolve(path)).close()  # which has them open
    with pytest.raises(StoreLocationError, match=rf"{name} is not used: it is a file of"):
        compact_store(path)

    assert lock.read_bytes() == b"theirs"


@pytest.mark.parametrize("name", [".lock", ".gate", ".compact", ".directory.new"])
def test_no_link_among_the_journals_is_written_through(
    shared: Path, tmp_path: Path, name: str
) -> None:
    path, precious = shared / "runs.duckdb", tmp_path / "precious"
    journals_of(path).mkdir()
    precious.write_bytes(b"something else")
    (journals_of(path) / name).symlink_to(precious)

    try:
        record(path)
        compact_store(path)
    except StoreLocationError as error:
        assert f"{name} is not used" in str(error)  # noqa: PT017 (or none, both are right)

    assert precious.read_bytes() == b"something else"


@pytest.mark.parametrize("suffix", [".wal", ".wal.checkpoint", ".wal.recovery"])
def test_a_log_of_a_stranger_is_not_taken_in(shared: Path, suffix: str) -> None:
    path = shared / "runs.duckdb"
    record(path)
    log = path.with_name(path.name + suffix)
    log.write_bytes(b"theirs")
    os.chown(log, STRANGER, STRANGER)

    for ask in (
        lambda: Store(path).runs(),
        lambda: copy_store(path, shared / "copy.duckdb"),
        lambda: repair_store(path, shared / "copy.duckdb"),
    ):
        with pytest.raises(StoreLocationError, match=rf"{suffix} is not taken into the"):
            ask()
    (found,) = [one for one in examine(path) if one.check == "database"]
    assert f"{suffix} is not taken into the database: it is a file of" in found.message

    log.unlink()
    assert [run.name for run in Store(path).runs()] == ["mine"]


def test_a_journal_of_a_stranger_is_named_and_not_folded(
    shared: Path, tmp_path: Path
) -> None:
    path = shared / "runs.duckdb"
    record(path)
    journals_of(path).chmod(0o1777)
    planted = journal_of_a_stranger(path, tmp_path)

    with pytest.warns(StoreWarning, match="is not read, and its points are missing"):
        assert [run.name for run in Store(path).runs()] == ["mine"]
    assert any("is a file of" in one.message for one in examine(path) if not one.is_ok)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StoreWarning)
        assert copy_store(path, tmp_path / "copy.duckdb").runs == 1
        assert repair_store(path, tmp_path / "repaired.duckdb").runs == 1
        assert merge_stores([path], tmp_path / "all.duckdb")[0].points == 3
    assert planted.exists()

    os.chown(planted, 0, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(Store(path).runs()) == 2


def test_in_a_folder_of_ones_own_a_journal_is_read_whosever_it_is(
    shared: Path, tmp_path: Path
) -> None:
    path = shared / "runs.duckdb"
    record(path)
    journal_of_a_stranger(path, tmp_path)

    assert len(Store(path).runs()) == 2


@pytest.mark.parametrize(
    ("mode", "owner", "is_read"),
    [
        (0o2770, (4242, GROUP), True),  # a file of the folder's group
        (0o770, (4242, 4242), False),  # one of another group
        (0o2777, (4242, GROUP), False),  # a group that anybody's file would have
    ],
)
def test_in_a_folder_of_a_group_what_is_of_the_group_is_read(
    shared: Path, tmp_path: Path, mode: int, owner: tuple[int, int], *, is_read: bool
) -> None:
    path = shared / "runs.duckdb"
    record(path)
    planted = journal_of_a_stranger(path, tmp_path)
    os.chown(planted, *owner)
    os.chown(journals_of(path), 0, GROUP)
    journals_of(path).chmod(mode)

    with warnings.catch_warnings():
        warnings.simplefilter("error" if is_read else "ignore")
        assert len(Store(path).runs()) == 1 + is_read


def test_in_a_folder_of_a_group_a_file_of_a_member_is_read(
    shared: Path, tmp_path: Path
) -> None:
    path = shared / "runs.duckdb"
    record(path)
    planted = journal_of_a_stranger(path, tmp_path)  # whose user is of the group
    os.chown(planted, STRANGER, 0)
    os.chown(journals_of(path), 0, STRANGER)
    journals_of(path).chmod(0o770)

    assert len(Store(path).runs()) == 2


@pytest.mark.parametrize("umask", [0o002, 0o007])
def test_a_group_shares_a_store(shared: Path, umask: int) -> None:
    folder = shared / "team"
    folder.mkdir()
    os.chown(folder, 0, GROUP)
    folder.chmod(0o2770)
    path = folder / "runs.duckdb"
    os.umask(umask)

    for user, name in ((1001, "one"), (1002, "two"), (1001, "three")):
        as_user(user, functools.partial(record, path, name))
    for user in (1001, 1002, 0):
        assert as_user(user, lambda: names_in(path)) == "one three two"


def test_two_users_of_a_folder_for_all_have_stores_of_their_own(shared: Path) -> None:
    paths = {user: shared / f"{user}.duckdb" for user in (1001, 1002)}
    for user, path in paths.items():
        as_user(user, functools.partial(record, path, str(user)))
    for asking in paths:
        for user, path in paths.items():
            assert as_user(asking, functools.partial(names_in, path)) == str(user)


def test_a_stranger_who_may_write_among_the_journals_changes_nothing(
    shared: Path,
) -> None:
    path = shared / "runs.duckdb"
    as_user(1001, lambda: record(path))
    journals_of(path).chmod(0o1777)
    as_user(1002, lambda: start_run(name="theirs", store=path).log({"loss": 1e9}))

    def ask() -> str:
        with pytest.warns(
            StoreWarning, match="a file of user 1002 in a folder that others"
        ):
            return names_in(path)

    assert as_user(1001, ask) == "mine"


def test_where_what_we_make_is_anothers_by_the_disk_it_is_still_ours(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a network disk that maps users: there, what one makes is not one's own.
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    path = shared / "runs.duckdb"
    os.umask(0)

    as_user(1001, lambda: record(path))

    assert as_user(1001, lambda: names_in(path)) == "mine"


def test_nothing_is_written_through_links_where_files_come_to(
    shared: Path, tmp_path: Path
) -> None:
    path, precious = shared / "runs.duckdb", tmp_path / "precious"
    precious.write_bytes(b"something else")
    names = [f"{path.name}{end}" for end in (".new", ".compact", ".new.wal")]
    for file in ("runs.csv", "points.csv", "loss.png"):
        names += [f".{file}.{os.getpid()}-{number}.part" for number in range(40)]
        names += [f".{file}.{os.getpid()}.part"]
    for name in names:
        (shared / name).symlink_to(precious)

    record(path)
    compact_store(path)
    with Store(path) as store:
        store.export(shared, "csv")
        (run,) = store.runs()
        save_run_figure(store, run.run_id, shared / "loss.png")

    assert precious.read_bytes() == b"something else"
    for name in ("runs.csv", "points.csv", "loss.png", path.name):
        assert (shared / name).stat().st_size > 0
        assert not (shared / name).is_symlink()
