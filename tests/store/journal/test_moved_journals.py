"""A journal that is moved away while its run goes on is called moved."""

import warnings
from pathlib import Path

import pytest

import stepwell
from stepwell.store import Store, StoreWarning
from stepwell.store.recording.background import Keeper


@pytest.mark.parametrize("what", ["store", "journals", "journal"])
@pytest.mark.parametrize("how", ["found", "at the end"])
def test_it_is_called_moved_and_recording_goes_on(
    what: str, how: str, tmp_path: Path
) -> None:
    folder, later = tmp_path / "old", tmp_path / "new"
    folder.mkdir()
    later.mkdir()
    run = stepwell.start_run(store=folder / "s.duckdb", name="r")
    run.log({"loss": 1.0})
    assert run.summary()["loss"].count == 1
    path = run._writer.journal.path
    if what == "store":
        later.rmdir()
        folder.rename(later)
        place = later / "s.duckdb.journal" / path.name
    elif what == "journals":
        path.parent.rename(later / "s.duckdb.journal")
        place = later / "s.duckdb.journal" / path.name
    else:
        place = path.rename(later / path.name)
    run.log({"loss": 2.0})

    match = f"the journal {path} was moved to {place} while its run goes on"
    with pytest.warns(StoreWarning, match=match) as said:
        if how == "found":
            Keeper()._tick([run._writer], 0.0, 1.0, started=False)
        run.log({"loss": 3.0})
        run.finish()
    assert len(said) == 1
    if what == "store":
        assert not folder.exists()  # no empty store takes its place
        found = Store(later / "s.duckdb")
        assert found.run("r").status == "finished"
        assert list(found.series("r", "loss").values) == [1.0, 2.0, 3.0]


def test_a_store_that_stays_is_not_called_moved(store_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with stepwell.start_run(store=store_path) as run:
            run.log({"loss": 1.0})
            Keeper()._tick([run._writer], 0.0, 1.0, started=False)
            # Another file of the same name, as of a store that was put back, is no move.
            assert not run._writer.journal.is_moved


def test_what_is_moved_from_a_store_that_stays_is_said_of_its_run(tmp_path: Path) -> None:
    run = stepwell.start_run(store=tmp_path / "s.duckdb", name="r")
    run.log({"loss": 1.0})
    store = run.store()
    assert store.run("r").status == "running"
    run._writer.journal.path.rename(tmp_path / "elsewhere.journal")
    info = store.run("r")
    assert (info.status, info.exit_message) == (
        "crashed",
        "its journal was removed, or moved away",
    )
    with pytest.warns(StoreWarning, match="was moved to"):
        run.finish()


def test_its_helper_makes_no_store_in_the_old_place(tmp_path: Path, output: object) -> None:
    code = """
        import os, sys, time, warnings
        import stepwell
        warnings.simplefilter("ignore")
        run = stepwell.init(store="old/s.duckdb", name="r")
        run.log({"loss": 1.0})
        time.sleep(1.5)
        os.rename("old", "new")
        run.log({"loss": 2.0})
        time.sleep(1.2)
    """
    output(code)  # type: ignore[operator]
    assert not (tmp_path / "old").exists()
    found = Store(tmp_path / "new" / "s.duckdb")
    assert (found.run("r").status, found.summary("r")["loss"].count) == ("finished", 2)
