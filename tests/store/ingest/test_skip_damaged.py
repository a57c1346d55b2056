"""A journal whose fold fails is passed over, named once, and stops no other."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stepwell.store import (
    Store,
    StoreError,
    StoreWarning,
    copy_store,
    examine,
    merge_stores,
    repair_store,
)
from stepwell.store.database.lease import Lease, lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest import ingest as fold_module
from stepwell.store.ingest.ingest import fold
from stepwell.store.journal.format import CHANGED, FINISHED, STARTED, encode_json
from stepwell.store.journal.reader import read_piece
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
GONE = {"process_started": 1}  # a process id that was given to another process since

BAD: dict[str, tuple[int, Any]] = {
    "a start without a time": (STARTED, {"name": "odd"}),
    "tags that are no list": (STARTED, {"name": "odd", "tags": "good", "time": 1}),
    "a start at no number": (STARTED, {"name": "odd", "time": float("nan")}),
    "a run without a name": (CHANGED, {"name": None}),
    "a configuration that is no mapping": (CHANGED, {"config": [1]}),
    "too many lost calls": (CHANGED, {"lost_calls": 10**30}),
    "an end at noon": (FINISHED, {"status": "finished", "time": "noon"}),
}


@pytest.fixture
def make(make_writer: Callable[..., RunWriter]) -> MakeWriter:
    """Makes writers of named runs."""
    return lambda name, **fields: make_writer({"name": name}, name=name, **fields)


def lease(path: Path) -> Lease:
    return lease_of(resolve(path))


def journals(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.glob("*.journal/*.journal"))


def spoil(writer: RunWriter, kind: int, value: Any) -> None:
    writer.recorder().log({"loss": 1.0})
    writer.journal.write(encode_json(kind, value))
    writer.recorder().log({"loss": 2.0})


def counts(store: Store) -> dict[str, int]:
    rows = store.sql("select run, count(*) from metrics group by run").fetchall()
    return {str(run): int(count) for run, count in rows}


@pytest.mark.parametrize("what", BAD)
def test_a_journal_that_cannot_be_folded_stops_no_other(
    store_path: Path, make: MakeWriter, what: str
) -> None:
    before, bad, after = (make(name, **GONE) for name in ("a", "bad", "c"))
    for writer in (before, after):
        writer.recorder().log({"loss": 3.0})
    spoil(bad, *BAD[what])
    name = bad.journal.path.name
    for writer in (before, bad, after):
        writer.abandon()

    with pytest.warns(StoreWarning, match=f"{name} is passed over, since") as said:
        store = Store(store_path)
        assert counts(store) == {"a": 1, "c": 1}
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert counts(store) == {"a": 1, "c": 1}  # and is not named once more
        shown = {info.name: info for info in store.runs()}
    assert shown["bad"].status == "crashed"
    assert "its journal cannot be folded" in str(shown["bad"].exit_message)
    assert journals(store_path) == [name]
    found = [one for one in examine(store_path) if not one.is_ok]
    assert [one.check for one in found] == ["journals"]
    assert f"{name[-20:]} cannot be folded: " in found[0].message

    assert len(store.remove_runs("bad")) == 1
    assert journals(store_path) == []
    assert all(one.is_ok for one in examine(store_path))


def test_what_was_folded_of_it_before_stays_and_a_merge_and_a_copy_go_on(
    store_path: Path, make: MakeWriter, tmp_path: Path
) -> None:
    bad, good = make("bad"), make("good")
    bad.recorder().log({"loss": 1.0})
    fold(lease(store_path))
    spoil(bad, CHANGED, {"name": None})
    good.recorder().log({"loss": 3.0})

    with pytest.warns(StoreWarning, match="is passed over"):
        assert counts(Store(store_path)) == {"bad": 1, "good": 1}
    assert {info.status for info in Store(store_path).runs()} == {"running"}
    with pytest.warns(StoreWarning, match=str(store_path)):
        copy_store(store_path, tmp_path / "copy.duckdb")
    with pytest.warns(StoreWarning, match=str(store_path)):
        merge_stores([store_path], tmp_path / "merged.duckdb")
    with pytest.warns(StoreWarning, match=str(store_path)):
        repair_store(store_path, tmp_path / "repaired.duckdb")
    for name, is_kept in (("copy", True), ("merged", False), ("repaired", True)):
        path = tmp_path / f"{name}.duckdb"
        left = list(path.with_name(f"{path.name}.journal").glob("*.journal"))
        assert [file.name for file in left] == [bad.journal.path.name] * is_kept
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert counts(Store(path)) == {"bad": 1, "good": 1}


def test_it_is_taken_up_again_by_code_that_can(
    store_path: Path, make: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = make("bad"), make("good")
    real = read_piece

    def fails(path: Path, *arguments: Any) -> Any:
        if path == bad.journal.path:
            raise MemoryError
        return real(path, *arguments)

    monkeypatch.setattr(fold_module, "read_piece", fails)
    for writer in (bad, good):
        writer.recorder().log({"loss": 1.0})
    with pytest.warns(StoreWarning, match="not enough memory"):
        fold(lease(store_path))
    monkeypatch.setattr(fold_module, "read_piece", real)
    fold(lease(store_path))
    assert counts(Store(store_path)) == {"good": 1}  # as it is, it is not tried again
    bad.recorder().log({"loss": 2.0})

    assert counts(Store(store_path)) == {"good": 1, "bad": 2}
    assert not lease(store_path).passed


def test_many_bad_journals_among_many_cost_few_transactions(
    store_path: Path, make: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert, tried = fold_module.insert_journals, []

    def counted(*arguments: Any) -> Any:
        tried.append(len(arguments[2]))
        return insert(*arguments)

    monkeypatch.setattr(fold_module, "insert_journals", counted)
    writers = [make(f"r{number}") for number in range(32)]
    for number, writer in enumerate(writers):
        writer.recorder().log({"loss": 1.0})
        if number in {3, 20}:
            spoil(writer, *BAD["a run without a name"])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert len(counts(Store(store_path))) == 30
    assert len(said) == 2
    assert len(tried) <= 2 * 2 * 6
    tried.clear()
    writers[31].recorder().log({"loss": 2.0})
    assert counts(Store(store_path))["r31"] == 2
    assert tried == [30]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("alter table journals_ drop column last_sign", r"lacks journals_\.last_sign"),
        # The check of the tables sees no index: a journal is sound if another one fails.
        ("create unique index one on journals_ (rank)", "[Dd]uplicate key"),
        ("create unique index one on totals_ (rank, position)", "[Dd]uplicate key"),
    ],
)
def test_trouble_of_the_store_is_no_journals(
    store_path: Path, make: MakeWriter, fault: str, said: str
) -> None:
    for name in ("a", "b"):
        make(name).recorder().log({"loss": 1.0})
    with duckdb.connect(str(store_path)) as connection:
        connection.execute(fault)

    with warnings.catch_warnings(), pytest.raises(StoreError, match=said):
        warnings.simplefilter("error")
        fold(lease(store_path))
    assert not lease(store_path).passed
    assert len(journals(store_path)) == 2


def test_the_end_of_a_run_is_not_kept_back_by_anothers_journal(
    store_path: Path, make: MakeWriter
) -> None:
    spoil(make("bad"), *BAD["a run without a name"])
    code = (
        "import sys, stepwell\n"
        "with stepwell.init(name='good', store=sys.argv[1]) as run:\n"
        "    for step in range(5): run.log({'loss': 1.0})\n"
    )
    command = [sys.executable, "-c", code, str(store_path)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)

    assert ended.returncode == 0
    assert "is passed over" in ended.stderr
    with duckdb.connect(str(store_path), read_only=True) as connection:
        found = connection.execute("select status from runs where name = 'good'").fetchall()
    assert found == [("finished",)]


@pytest.mark.parametrize("time", [10**40, -(10**40), 2**63, 0, -1])
def test_a_run_of_any_time_is_folded(store_path: Path, make: MakeWriter, time: int) -> None:
    writer = make("a", **GONE)
    writer.recorder().log({"loss": 1.0})
    writer.journal.write(encode_json(STARTED, {"name": "a", "time": time}))
    end = {"status": "finished", "message": None, "time": time}
    writer.journal.write(encode_json(FINISHED, end))
    os.utime(writer.journal.path, (0, max(-(2**31), min(time, 2**33))))

    assert counts(Store(store_path)) == {"a": 1}
