"""Whatever stands where a store should be: one line tells, and training goes on."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import stepwell
from stepwell.store import (
    ConfigurationError,
    Store,
    StoreDamagedError,
    StoreError,
    StoreLocationError,
    StoreWarning,
    open_store,
)

Rows = Callable[..., list[tuple[Any, ...]]]
Output = Callable[..., str]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk")
needs_setpriv = pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None,
    reason="root may do everything, and there is no setpriv to be somebody else",
)

TRIES = """
import sys, warnings
import stepwell
from stepwell.store import Store, StepwellError, open_store

warnings.simplefilter("ignore")
for ask in (
    lambda: stepwell.init(store=sys.argv[1]),
    lambda: open_store(sys.argv[1]).runs(),
):
    try:
        found = ask()
        print(len(found) if isinstance(found, list) else "a run")
    except StepwellError as error:
        print(type(error).__name__, error)
"""


def make_some_points(path: Path) -> None:
    with stepwell.init(store=path, name="first") as run:
        for number in range(100):
            run.log({"loss": number})
    run.finish(wait=True)


def let_others_in(folder: Path) -> None:
    """Open the way from the folder of temporary files down to *folder*."""
    top = Path(tempfile.gettempdir())
    for each in (folder, *folder.parents):
        if each.is_relative_to(top) and each != top:
            each.chmod(0o755)


def as_nobody(code: str, *arguments: object) -> str:
    """Run a program as somebody who is not root."""
    who = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    command = [sys.executable, "-c", code, *map(str, arguments)]
    if os.geteuid() == 0:
        command = [*who, *command]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": "/"},
    )
    if "ModuleNotFoundError" in done.stderr or "Permission denied: '/root" in done.stderr:
        pytest.skip("the interpreter's folder is closed to others")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("ask", [open_store, lambda path: stepwell.init(store=path)])
def test_a_folder_is_no_store(tmp_path: Path, ask: Callable[..., object]) -> None:
    with pytest.raises(StoreLocationError, match=r"is a folder.*try .*stepwell\.duckdb"):
        ask(tmp_path)


@pytest.mark.parametrize("ask", [open_store, lambda path: stepwell.init(store=path)])
def test_a_path_below_a_file_is_no_store(
    tmp_path: Path, ask: Callable[..., object]
) -> None:
    (tmp_path / "file").write_text("text")

    with pytest.raises(StoreLocationError, match="Not a directory; choose another path"):
        ask(tmp_path / "file" / "runs.duckdb")


@pytest.mark.parametrize("ask", [open_store, lambda path: stepwell.init(store=path)])
def test_a_file_in_place_of_the_journals_is_named(
    tmp_path: Path, ask: Callable[..., object]
) -> None:
    (tmp_path / "runs.duckdb.journal").write_text("text")

    with pytest.raises(StoreLocationError, match=r"duckdb\.journal is no folder; move it"):
        ask(tmp_path / "runs.duckdb")


@pytest.mark.parametrize(
    "path", ["what?", "back\\slash", "nul\0byte", "~nobody-here/x", "x" * 5000, "b\udcff"]
)
def test_a_path_that_cannot_be_is_refused(path: str) -> None:
    with pytest.raises(StoreLocationError) as caught:
        open_store(path)
    assert "\n" not in str(caught.value)


class RaisingPath:
    """A path that has none."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __fspath__(self) -> str:
        raise self._error


@pytest.mark.parametrize("ask", [open_store, lambda path: stepwell.init(store=path)])
@pytest.mark.parametrize("error", [RuntimeError("no path"), KeyError("root"), OSError(5)])
def test_a_path_whose_own_code_raises_is_refused(
    ask: Callable[..., object], error: Exception
) -> None:
    with pytest.raises(ConfigurationError, match="RaisingPath raises") as caught:
        ask(RaisingPath(error))
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("url", ["s3://bucket/x", "file://elsewhere/x", "duckdb:///x"])
def test_a_url_that_is_no_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="use a path, or file:///PATH"):
        open_store(url)


def test_a_file_url_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a b%.duckdb"

    assert open_store(path.as_uri()).location == path


@pytest.mark.parametrize(
    "content", [b"just some text\n" * 5, b"\0" * 5000, b"PK\3\4" + bytes(10_000)]
)
def test_a_file_of_another_kind_is_left_as_it_is(store_path: Path, content: bytes) -> None:
    store_path.write_bytes(content)

    with pytest.raises(StoreDamagedError, match="is not a Stepwell store, nor any DuckDB"):
        open_store(store_path)
    assert store_path.read_bytes() == content


def test_an_sqlite_database_is_left_as_it_is(new_path: Path) -> None:
    connection = sqlite3.connect(new_path)
    connection.execute("create table t (i)")
    connection.commit()
    connection.close()

    with pytest.raises(StoreDamagedError, match="is not a Stepwell store, nor any DuckDB"):
        open_store(new_path)


def test_a_training_on_a_damaged_store_goes_on_and_keeps_its_journal(
    store_path: Path, tmp_path: Path
) -> None:
    store_path.write_text("not a database")
    run = stepwell.init(store=store_path)
    for number in range(10):
        run.log({"loss": number})

    with pytest.warns(StoreWarning, match="not folded yet, and stay"):
        run.finish(wait=True)

    # Its points are there as soon as the file is out of the way.
    store_path.rename(tmp_path / "away")
    assert Store(store_path).summary("last")["loss"].count == 10


@pytest.mark.parametrize("kept", [0.02, 0.4, 0.8])
def test_a_truncated_database_gives_one_line_and_keeps_the_journals(
    store_path: Path, output: Output, kept: float
) -> None:
    make_some_points(store_path)
    os.truncate(store_path, int(store_path.stat().st_size * kept))
    run = stepwell.init(store=store_path)
    run.log({"loss": 1.0})

    ask = """
        import sys
        from stepwell.store import StepwellError, open_store
        try:
            store = open_store(sys.argv[1])
            print(store.runs(), store.summary("last"), store.series("last", "loss"))
        except StepwellError as error:
            print(type(error).__name__, error)
    """
    printed = output(ask, store_path)

    assert printed.count("\n") == 1
    assert "StoreDamagedError" in printed
    assert run._writer.journal.path.exists()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StoreWarning)
        run.finish()


@pytest.mark.parametrize("seed", range(8))
def test_a_database_with_damaged_bytes_never_ends_in_a_traceback(
    store_path: Path, output: Output, seed: int
) -> None:
    make_some_points(store_path)
    data = bytearray(store_path.read_bytes())
    for place in range(seed * 997, len(data), 8191):
        data[place] ^= 0xFF
    store_path.write_bytes(data)

    ask = """
        import sys, warnings
        warnings.simplefilter("ignore")
        from stepwell.store import StepwellError, Store, open_store
        for _ in range(2):
            try:
                store = open_store(sys.argv[1])
                store.runs(), store.summary("last"), store.series("last", "loss")
                store.sql("select * from points")
            except StepwellError as error:
                assert "\\n" not in str(error), error
    """
    assert output(ask, store_path) == ""


@needs_setpriv
def test_without_permission_one_line_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    make_some_points(folder / "runs.duckdb")
    let_others_in(tmp_path)
    folder.chmod(0o700)

    printed = as_nobody(TRIES, folder / "runs.duckdb")

    line = f"unusable store path '{folder}/runs.duckdb': Permission denied"
    assert printed.splitlines() == [f"StoreLocationError {line}"] * 2


@needs_setpriv
def test_a_store_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    path = tmp_path / "runs.duckdb"
    make_some_points(path)
    let_others_in(tmp_path)

    started, read = as_nobody(TRIES, path).splitlines()

    assert started.startswith("StoreLocationError cannot write a journal in")
    assert "Permission denied; make room, or choose another store" in started
    assert read == "1"


@needs_setpriv
def test_a_database_that_may_only_be_read_is_read_without_its_newest_points(
    tmp_path: Path,
) -> None:
    path = tmp_path / "runs.duckdb"
    make_some_points(path)
    let_others_in(tmp_path)
    journals = tmp_path / "runs.duckdb.journal"
    for entry in (journals, *journals.iterdir()):
        entry.chmod(0o777)
    path.chmod(0o444)

    started, read = as_nobody(TRIES, path).splitlines()

    assert (started, read) == ("a run", "1")


@pytest.mark.parametrize(
    "name",
    [
        "it's.duckdb",
        'double".duckdb',
        "with space.duckdb",
        "100%.duckdb",
        "%(here)s.duckdb",
        "größe 損失 🏋️.duckdb",
        "semi;colon.duckdb",
        "new\nline.duckdb",
        "-dash.duckdb",
        "#hash&x=1",
        ".hidden",
        "no suffix",
        "memory",
        "x" * 200,
    ],
)
def test_any_name_of_a_file_will_do(tmp_path: Path, name: str) -> None:
    folder = tmp_path / f"in {name}"
    with stepwell.init(store=folder / name) as run:
        run.log({"loss": 1.0})

    with open_store(folder / name) as store:
        assert store.summary("last")["loss"].count == 1
        assert store.sql("select count(*) from points").fetchall() == [(1,)]
    assert sorted(path.name for path in folder.iterdir()) == [name, f"{name}.journal"]


def test_the_default_store_is_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEPWELL_STORE", raising=False)
    assert open_store().location == tmp_path / "stepwell.duckdb"

    monkeypatch.setenv("STEPWELL_STORE", "other/one.duckdb")
    assert open_store().location == tmp_path / "other" / "one.duckdb"
    monkeypatch.setenv("STEPWELL_STORE", "")
    assert open_store().location == tmp_path / "stepwell.duckdb"


def test_a_link_is_the_store_it_leads_to(tmp_path: Path, store_path: Path) -> None:
    make_some_points(store_path)
    (tmp_path / "link.duckdb").symlink_to(store_path)

    store = open_store(tmp_path / "link.duckdb")

    assert store.location == store_path
    assert len(store.runs()) == 1


def test_a_store_moves_with_its_journals(store_path: Path, tmp_path: Path) -> None:
    run = stepwell.init(store=store_path)
    run.log({"loss": 1.0})
    assert run.summary()["loss"].count == 1
    run.log({"loss": 2.0})
    (tmp_path / "copy").mkdir()
    for path in (store_path, store_path.with_name("runs.duckdb.journal")):
        command = ["cp", "-a", str(path), str(tmp_path / "copy")]
        subprocess.run(command, check=True)
    run.log({"loss": 3.0})
    run.finish()

    copied = open_store(tmp_path / "copy" / "runs.duckdb")
    assert copied.series("last", "loss").values.tolist() == [1, 2]
    assert open_store(store_path).series("last", "loss").values.tolist() == [1, 2, 3]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no disk may be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> None:
    with (
        (disk / "filler").open("ab", buffering=0) as file,
        contextlib.suppress(OSError),
    ):
        while True:
            file.write(bytes(4096))


FILLS = """
import os, sys, warnings
from pathlib import Path
import stepwell
from stepwell.store import StoreWarning
from stepwell.store.recording.background import keeper

disk = Path(sys.argv[1])
keeper._ask = lambda location, now: None
run = stepwell.init(store=disk / "runs.duckdb")
filler = disk / "filler"

def fill():
    with filler.open("ab", buffering=0) as file:
        try:
            while file.write(bytes(1000)):
                pass
        except OSError:
            pass

with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    for number in range(50):
        run.log({"loss": number})
    fill()
    for number in range(50, 3000):
        run.log({"loss": number})
    lost = run._writer.journal.lost
    filler.unlink()
    for number in range(3000, 3100):
        run.log({"loss": number})
    run.finish()
print(lost, len(said), said[0].message)
"""


@needs_root
def test_a_full_disk_costs_the_calls_it_refused_and_no_more(
    small_disk: Path, output: Output
) -> None:
    printed = output(FILLS, small_disk)
    lost, count, *message = printed.split()

    assert count == "1"
    assert "No space left on device; training goes on" in " ".join(message) or (
        "no space is left on the disk; training goes on" in " ".join(message)
    )
    store = open_store(small_disk / "runs.duckdb")
    run = store.run("last")
    values = store.series(run, "loss").values.tolist()
    assert 0 < int(lost) < 2950
    assert values == [*range(3000 - int(lost)), *range(3000, 3100)]
    assert (run.status, run.lost_calls) == ("finished", int(lost))


@needs_root
def test_a_full_disk_refuses_a_run_in_one_line(small_disk: Path) -> None:
    open_store(small_disk / "runs.duckdb")
    fill(small_disk)

    with pytest.raises(StoreLocationError, match="No space left on device; make room"):
        stepwell.init(store=small_disk / "runs.duckdb")
    assert not list((small_disk / "runs.duckdb.journal").glob("*.journal"))


@needs_root
def test_a_disk_without_room_for_a_store_refuses_it_in_one_line(small_disk: Path) -> None:
    path = small_disk / "runs.duckdb"
    for room in (0, 20_000, 70_000, 140_000):
        fill(small_disk)
        with (small_disk / "filler").open("ab") as filler:
            filler.truncate(filler.tell() - room)

        with pytest.raises(StoreLocationError, match=r"the disk of|make room"):
            open_store(path)
        assert not [
            p for p in small_disk.iterdir() if p.name.startswith((".", "runs.duckdb.n"))
        ]
        assert not path.exists()

    (small_disk / "filler").unlink()
    assert open_store(path).runs() == []


@needs_root
def test_a_store_on_a_full_disk_is_read_without_its_newest_points(
    small_disk: Path,
) -> None:
    path = small_disk / "runs.duckdb"
    make_some_points(path)
    run = stepwell.init(store=path, name="second")
    for number in range(20_000):
        run.log({f"loss {number % 9}": number})
    fill(small_disk)

    with pytest.warns(
        StoreWarning, match=r"without the newest points: the disk of .* full"
    ):
        runs = Store(path).runs()
    assert [found.name for found in runs] == ["first"]
    with pytest.warns(StoreWarning, match="not folded yet, and stay"):
        run.finish(wait=True)

    (small_disk / "filler").unlink()
    assert Store(path).overview()[0].points == 20_000
    assert [found.status for found in Store(path).runs()] == ["finished", "finished"]


def test_a_disk_that_refuses_everything_does_not_stop_a_training(
    store_path: Path,
) -> None:
    run = stepwell.init(store=store_path)
    run.log({"loss": 1.0})
    with Path("/dev/full").open("wb") as full:
        os.dup2(full.fileno(), run._writer.journal._file)

    with pytest.warns(StoreWarning, match="training goes on"):
        run.log({"loss": 2.0})
    for number in range(100):
        run.log({"loss": number})  # said once
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StoreWarning)
        run.finish()

    assert Store(store_path).series("last", "loss").values.tolist() == [1.0]


def test_an_error_of_the_store_is_one_class(store_path: Path) -> None:
    store_path.write_text("text")

    with pytest.raises(StoreError):
        open_store(store_path)
