"""What a fold makes of journals that are torn, damaged, headless or somebody else's."""

import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepwell.store import StoreWarning, open_store
from stepwell.store.base.ids import new_run_id
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest.pending import needs_fold
from stepwell.store.journal.format import (
    CHANGED,
    FINISHED,
    HEADER,
    MAGIC,
    encode,
    encode_json,
)
from stepwell.store.recording.background import Keeper
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
Rows = Callable[..., list[tuple[Any, ...]]]
GONE = {"process_started": 1}  # a process id that was given to another process since


def log(writer: RunWriter, calls: int) -> None:
    recorder = writer.recorder()
    for number in range(calls):
        recorder.log({"loss": number, "accuracy": number / 2})


def journals(store_path: Path) -> list[str]:
    folder = store_path.with_name(store_path.name + ".journal")
    return sorted(path.name for path in folder.iterdir() if path.name[0] != ".")


def make_old(path: Path) -> None:
    os.utime(path, (time.time() - 3600, time.time() - 3600))


@pytest.mark.parametrize("torn", [1, 7, 12, 30])
def test_a_torn_tail_is_cut_and_counted(
    store_path: Path, make_writer: MakeWriter, rows: Rows, torn: int
) -> None:
    writer = make_writer(**GONE)
    log(writer, 50)
    size = writer.journal.path.stat().st_size
    os.truncate(writer.journal.path, size - torn)

    assert rows("select count(*), max(step) from points") == [(98, 48)]
    assert rows("select skipped_bytes, ended from journals_") == [(48 - torn, "crashed")]
    assert rows("select status from runs") == [("crashed",)]
    assert journals(store_path) == []


@pytest.mark.parametrize("ago", [0.004, 60.0, 1e9])
def test_a_crashed_run_has_not_ended_before_it_began(
    store_path: Path, make_writer: MakeWriter, rows: Rows, ago: float
) -> None:
    # The clock of a file system is coarse, or that of another machine.
    writer = make_writer(**GONE)
    log(writer, 3)
    then = time.time() - ago
    os.utime(writer.journal.path, (then, then))

    ((status, took),) = rows("select status, seconds from run_table")

    assert status == "crashed"
    assert took >= 0


def test_a_tail_that_is_torn_while_its_writer_lives_is_waited_for(
    store_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    writer = make_writer()
    log(writer, 3)
    with writer.journal.path.open("ab") as file:
        whole = writer.journal.path.read_bytes()[-48:]
        file.write(whole[:20])
        file.flush()
        assert rows("select count(*) from points") == [(6,)]
        assert len(journals(store_path)) == 1
        assert not needs_fold(lease_of(resolve(store_path)))  # nothing whole is new
        # A record of the same length in its place is seen, too.
        os.utime(writer.journal.path, (1, 1))
        assert needs_fold(lease_of(resolve(store_path)))
        assert rows("select count(*) from points") == [(6,)]
        assert not needs_fold(lease_of(resolve(store_path)))
        file.write(whole[20:])

    assert rows("select count(*) from points") == [(8,)]


@pytest.mark.parametrize("bit", [0, 3, 4, 10, 40])
def test_a_damaged_middle_is_set_aside_and_not_deleted(
    store_path: Path, make_writer: MakeWriter, rows: Rows, bit: int
) -> None:
    writer = make_writer(**GONE)
    log(writer, 50)
    path = writer.journal.path
    data = bytearray(path.read_bytes())
    data[-48 * 10 + bit] ^= 0x40  # even where it is the record's length
    path.write_bytes(data)

    said = f"{path.name}.damaged is damaged, .* `stepwell repair NEW` saves"
    with pytest.warns(StoreWarning, match=said) as warned:
        assert rows("select count(*), max(step) from points") == [(80, 39)]
    assert len(warned) == 1
    assert journals(store_path) == [path.name + ".damaged"]
    assert path.with_name(path.name + ".damaged").read_bytes() == data
    assert rows("select count(*) from points") == [(80,)]


def test_each_process_that_reads_says_once_what_was_set_aside(
    store_path: Path, make_writer: MakeWriter, output: Callable[..., str]
) -> None:
    writer = make_writer(**GONE)
    log(writer, 50)
    data = bytearray(writer.journal.path.read_bytes())
    data[-48 * 10 + 20] ^= 1
    writer.journal.path.write_bytes(data)
    code = (
        "import sys, warnings, stepwell\n"
        "with warnings.catch_warnings(record=True) as said:\n"
        "    warnings.simplefilter('always')\n"
        "    for _ in range(3): stepwell.open_store(sys.argv[1]).runs()\n"
        "print([str(one.message).partition(',')[0] for one in said])"
    )
    journal = f"{writer.journal.path}.damaged"
    for _ in range(2):
        assert output(code, store_path) == f"['the journal {journal} is damaged']\n"


def test_a_damaged_journal_left_by_a_killed_fold_is_still_not_deleted(
    store_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    writer = make_writer(**GONE)
    log(writer, 50)
    path = writer.journal.path
    data = bytearray(path.read_bytes())
    data[-48 * 10 + 20] ^= 1
    path.write_bytes(data)
    with pytest.warns(StoreWarning, match="is damaged"):
        rows("select 1")
    # As if the fold had been killed before it moved the file.
    path.with_name(path.name + ".damaged").rename(path)

    assert rows("select count(*) from points") == [(80,)]
    assert journals(store_path) == [path.name + ".damaged"]


def test_a_finished_journal_left_by_a_killed_fold_is_removed(
    store_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    writer = make_writer()
    log(writer, 5)
    path = writer.journal.path
    writer.finish("finished", None)
    data = path.read_bytes()
    assert rows("select count(*) from points") == [(10,)]
    path.write_bytes(data)

    assert rows("select count(*) from points") == [(10,)]
    assert journals(store_path) == []


@pytest.mark.parametrize("content", [b"s", MAGIC, MAGIC + b"\x40\0\0\0\1\0\0\0{", b"other"])
def test_a_headless_journal_is_set_aside_after_a_minute(
    store_path: Path, make_writer: MakeWriter, rows: Rows, content: bytes
) -> None:
    log(make_writer(), 1)
    folder = store_path.with_name(store_path.name + ".journal")
    headless = folder / f"{new_run_id()}-0123456789ab.journal"
    headless.write_bytes(content)

    assert rows("select count(*) from points") == [(2,)]
    assert headless.read_bytes() == content  # its writer may be at it just now

    make_old(headless)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for _ in range(2):
            assert rows("select count(*) from points") == [(2,)]
    # Of nothing, nothing is missing.
    said = [f"{headless.name}.damaged is damaged" in str(one.message) for one in warned]
    assert said == [True] * bool(content)
    assert not headless.exists()
    assert headless.with_name(headless.name + ".damaged").read_bytes() == content


def test_foreign_files_in_the_folder_are_left_alone(
    store_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    writer = make_writer(**GONE)
    log(writer, 4)
    folder = writer.journal.path.parent
    data = writer.journal.path.read_bytes()
    foreign = ["notes.txt", "x.journal", f"copy of {writer.journal.path.name}"]
    for name in foreign:
        (folder / name).write_bytes(data)
        make_old(folder / name)
    (folder / f"{new_run_id()}-0123456789ab.journal").mkdir()

    assert rows("select count(*) from points") == [(8,)]
    assert set(foreign) <= set(journals(store_path))


def test_a_renamed_journal_is_not_folded_as_another(
    store_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    writer = make_writer()
    log(writer, 4)
    path = writer.journal.path
    other = path.with_name(f"{new_run_id()}-0123456789ab.journal")
    other.write_bytes(path.read_bytes())
    make_old(other)

    with pytest.warns(StoreWarning, match=f"{other.name}.damaged is damaged"):
        assert rows("select count(*), count(distinct run_id) from points") == [(8, 1)]
    assert journals(store_path) == sorted([path.name, other.name + ".damaged"])


def test_a_journal_of_a_newer_format_stays_as_it_is(
    store_path: Path, make_writer: MakeWriter
) -> None:
    log(make_writer(), 1)
    folder = store_path.with_name(store_path.name + ".journal")
    newer = folder / f"{new_run_id()}-0123456789ab.journal"
    newer.write_bytes(MAGIC + encode_json(HEADER, {"format": 99, "ink": "invisible"}))
    make_old(newer)

    with open_store(store_path) as store:
        with pytest.warns(StoreWarning, match="update stepwell"):
            assert len(store.runs()) == 1
        assert len(store.runs()) == 1  # said once
    assert newer.exists()


def test_a_journal_that_comes_back_is_folded_from_where_it_was(
    store_path: Path, make_writer: MakeWriter, rows: Rows
) -> None:
    writer = make_writer(**GONE, pid=os.getppid())
    log(writer, 5)
    path = writer.journal.path
    data = path.read_bytes()
    alive = make_writer()
    log(alive, 5)
    kept = alive.journal.path
    assert rows("select count(*) from points") == [(20,)]

    moved = kept.rename(kept.with_suffix(".away"))  # as in a copy that is half done
    assert rows("select status from runs") == [("crashed",), ("crashed",)]
    log(alive, 5)
    moved.rename(kept)

    assert rows("select count(*) from points") == [(30,)]
    assert rows("select status from runs order by status") == [("crashed",), ("running",)]
    path.write_bytes(data)  # one that had ended, from an older copy
    assert rows("select count(*) from points") == [(30,)]


def test_a_journal_that_vanished_for_good_leaves_a_crashed_run(
    make_writer: MakeWriter, rows: Rows
) -> None:
    writer = make_writer()
    log(writer, 5)
    assert rows("select status from runs") == [("running",)]

    writer.journal.path.unlink()

    found = rows("select status, exit_message from runs")
    assert found == [("crashed", "its journal was removed, or moved away")]
    assert rows("select count(*) from points") == [(10,)]


def test_a_live_writer_says_once_that_its_journal_was_removed(
    make_writer: MakeWriter,
) -> None:
    writer = make_writer()
    log(writer, 5)
    writer.journal.say_if_removed()
    writer.journal.path.unlink()

    with pytest.warns(StoreWarning, match="was removed while its run goes on: calls") as w:
        Keeper()._tick([writer], 0.0, 1.0, started=False)
        writer.finish("finished", None)

    assert len(w) == 1
    writer.journal.say_if_removed()  # closed


def test_the_end_of_a_run_tells_of_a_journal_that_was_removed(
    make_writer: MakeWriter,
) -> None:
    writer = make_writer()
    writer.journal.path.unlink()

    with pytest.warns(StoreWarning, match="start a new run"):
        writer.finish("finished", None)


def test_a_record_larger_than_a_transaction_is_folded(
    make_writer: MakeWriter, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepwell.store.ingest.ingest.BUDGET", 100)
    writer = make_writer()
    writer.recorder().log({f"metric {number}": number for number in range(500)})
    log(writer, 3)

    assert rows("select count(*), sum(value) from points") == [(506, 124754.5)]


@pytest.mark.parametrize("budget", [1, 5, 11, 12, 47, 60])
def test_no_size_of_a_transaction_loses_a_record(
    store_path: Path,
    make_writer: MakeWriter,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    budget: int,
) -> None:
    monkeypatch.setattr("stepwell.store.ingest.ingest.BUDGET", budget)
    first, second = make_writer(**GONE), make_writer(**GONE)
    log(first, 3)
    log(second, 3)

    assert rows("select count(*), count(distinct run_id) from points") == [(12, 2)]
    assert journals(store_path) == []


def test_a_very_long_name_fits_into_a_header(make_writer: MakeWriter, rows: Rows) -> None:
    log(make_writer(name="n" * 200_000, started={"name": "n" * 200_000}), 1)

    assert rows("select length(name) from runs") == [(200_000,)]


def test_records_of_unknown_kinds_are_skipped(make_writer: MakeWriter, rows: Rows) -> None:
    writer = make_writer()
    log(writer, 1)
    writer.journal.write(encode(77, b"from another time"))
    writer.journal.write_json(CHANGED, {"unheard": 1, "notes": "of"})
    log(writer, 1)
    writer.journal.write_json(FINISHED, {"status": "failed", "message": "x", "time": 1})

    assert rows("select status, notes, exit_message from runs") == [("failed", "of", "x")]
    assert rows("select count(*) from points") == [(4,)]
