"""A run of which each store has a part stands as its last attempt, wherever that is."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.store import Store, merge_stores, open_store
from stepwell.store.base.ids import new_run_id, new_writer_id
from stepwell.store.files.location import prepare_folder, resolve
from stepwell.store.journal.format import Header
from stepwell.store.recording.run_writer import RunWriter

Part = Callable[..., None]
FIRST, SECOND = 1_000_001, 1_000_002
BEGAN = int(time.time()) - 3600


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "there.duckdb"


@pytest.fixture
def part() -> Part:
    """Writes what one rank of one attempt has recorded, and was last heard of long ago."""
    run_id = new_run_id()

    def write(
        store: Path, attempt: int, rank: int, end: str | None, *, lost: int = 0
    ) -> None:
        began = BEGAN + 600 * (attempt - FIRST)
        header = Header(
            run_id=run_id,
            writer=new_writer_id(),
            name="parted",
            project=None,
            host="another",
            machine="another",
            pid=1,
            process_started=1,
            rank=rank,
            attempt=attempt,
            primary=rank == 0,
            started=began * 10**9 + rank * 10**6,
            follows=FIRST if attempt == SECOND and rank == 0 else 0,
        )
        prepare_folder(resolve(store))
        start = {"name": "parted", "config": {}, "time": began * 10**9}
        writer = RunWriter(resolve(store), header, None if rank else start)
        for step in range(10 * (attempt - FIRST), 20):
            writer.write_points(step, {"loss": float(attempt - FIRST)})
        if lost:
            writer.change({"lost_calls": lost})
        if end is None:
            writer.abandon()
        else:
            writer.finish(end, None)
        os.utime(writer.journal.path, (began + 60, began + 60))

    return write


@pytest.mark.parametrize("end", ["finished", "failed", None])
def test_a_rank_unheard_of_here_does_not_keep_a_run_from_its_end_there(
    part: Part, store_path: Path, there: Path, end: str | None
) -> None:
    part(store_path, FIRST, 0, "interrupted")
    part(store_path, FIRST, 2, None)
    part(there, SECOND, 0, end)

    for _ in range(2):
        merge_stores([there], store_path)

        with open_store(store_path) as store:
            (run,) = store.runs()
            assert (run.status, run.attempt) == (end or "crashed", 2)
            # Rank 2 is gone from the second attempt, which takes its points from there on.
            assert store.summary(run)["loss"].count == 10 + 10 + 10


@pytest.mark.parametrize("end", ["finished", "interrupted", None])
def test_a_run_ends_as_its_first_process_did_in_another_store(
    part: Part, store_path: Path, there: Path, end: str | None
) -> None:
    part(store_path, FIRST, 1, None)
    part(there, FIRST, 0, end)

    merge_stores([there], store_path)

    (run,) = Store(store_path).runs()
    assert (run.status, run.attempt) == (end or "crashed", 1)


@pytest.mark.parametrize("here", ["finished", "interrupted", "failed"])
@pytest.mark.parametrize("late", ["failed", "interrupted"])
def test_the_worst_end_of_its_ranks_counts_in_whichever_store(
    part: Part, store_path: Path, there: Path, here: str, late: str
) -> None:
    part(store_path, FIRST, 0, here)
    part(there, FIRST, 3, late)

    for _ in range(2):
        merge_stores([there], store_path)

        (run,) = Store(store_path).runs()
        badness = ["finished", "interrupted", "failed"].index
        is_own = badness(here) >= badness(late)
        expected = (here, None) if is_own else (late, f"rank 3: {late}")
        assert (run.status, run.exit_message) == expected


def test_an_earlier_attempt_of_another_store_changes_no_end(
    part: Part, store_path: Path, there: Path
) -> None:
    part(store_path, SECOND, 0, "finished")
    part(there, FIRST, 0, "failed")
    part(there, FIRST, 1, None)

    merge_stores([there], store_path)

    (run,) = Store(store_path).runs()
    assert (run.status, run.attempt) == ("finished", 2)


def test_a_run_that_goes_on_here_stays_as_it_is_here(
    part: Part, store_path: Path, there: Path, make_writer: Callable[..., RunWriter]
) -> None:
    part(there, FIRST, 0, "failed")
    with open_store(there) as store:
        (run,) = store.runs()
    writer = make_writer(run_id=run.run_id, attempt=SECOND, follows=FIRST)
    writer.write_points(3, {"loss": 1.0})

    merge_stores([there], store_path)

    (run,) = Store(store_path).runs()
    assert (run.status, run.attempt) == ("running", 2)


@pytest.mark.parametrize("lost", [(3, 4), (0, 4), (3, 0)])
@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize(("attempt", "rank"), [(FIRST, 1), (SECOND, 0)])
def test_lost_calls_are_those_of_all_writers_however_often_merged(  # noqa: PLR0913, PLR0917
    part: Part,
    tmp_path: Path,
    lost: tuple[int, int],
    is_turned: bool,
    attempt: int,
    rank: int,
) -> None:
    one, other = stores = [tmp_path / "one.duckdb", tmp_path / "other.duckdb"]
    part(one, FIRST, 0, "finished", lost=lost[0])
    part(other, attempt, rank, "finished", lost=lost[1])
    assert tuple(Store(path).run("parted").lost_calls for path in stores) == lost
    if is_turned:
        one, other = other, one

    for source, into in ((other, one), (other, one), (one, other), (other, one)):
        merge_stores([source], into)
        assert Store(into).run("parted").lost_calls == sum(lost)
