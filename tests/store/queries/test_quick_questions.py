"""Small questions load and read no more than they need, and miss nothing by it."""

import subprocess
import sys
from pathlib import Path

import pytest

from stepwell.store import Store, StoreWarning, start_run
from stepwell.store.database import file_guard as guard_module
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.queries.fresh_read import is_all_folded

ASK = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            found.append(name)

found = []
sys.meta_path.insert(0, Finder())
from stepwell.store import Selection, open_store

store = open_store(sys.argv[1])
chosen = Selection(project="it's", where=("lr < 0.5 and opt ~ a*",), tags=("one",))
assert store.run("again").attempt == 2
assert store.find("none of them") is None
assert store.summary("last")["loss"].count == 1
assert store.summary("again")["loss"].count == 3
assert len(store.runs(chosen)) == len(store.overview(chosen)) == 1
assert store.leaderboard("loss", "min").value.tolist() == [0.25, 0.5]
assert store.leaderboard("loss", "min", runs=["again"], at=1).value.tolist() == [2.0]
assert store.sweep_table(["loss"]).values["loss"].tolist() == [0.5, 0.25]
print(found)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "store.duckdb"
    with start_run(store=found, name="again", id="again") as run:
        for step in range(3):
            run.update_metrics({"loss": 1.0 + step}, step)
    with start_run(store=found, id="again", resume="allow") as run:
        for step, loss in ((1, 2.0), (2, 0.5)):
            run.update_metrics({"loss": loss}, step)
    config = {"lr": 0.1, "opt": "adam"}
    with start_run(store=found, project="it's", config=config, tags=["one"]) as run:
        run.update_metrics({"loss": 0.25})
    Store(found).runs()  # which folds
    return found


def test_small_questions_never_look_for_pandas(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(path)], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_what_was_read_of_a_file_is_kept_until_it_changes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_module, "_SETTLED_NS", -(10**12))  # whatever its age
    lease, store = lease_of(resolve(path)), Store(path)
    store.run("last")
    store.run("last")

    assert is_all_folded(lease)
    path.touch()
    assert not is_all_folded(lease)
    store.run("last")
    assert is_all_folded(lease)
    with start_run(store=path, name="newer") as run:
        run.update_metrics({"loss": 1.0})
        assert not is_all_folded(lease)
        named = "select count(*) from runs where name = 'newer'"
        assert store.sql(named).fetchall() == [(1,)]


def test_nothing_is_kept_of_a_file_that_has_just_been_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_module, "_SETTLED_NS", 10**12)
    store = Store(path)
    store.run("last")
    store.run("last")

    assert not is_all_folded(lease_of(resolve(path)))
    assert store.sql("select count(*) from runs").fetchall() == [(2,)]


def test_an_older_file_in_the_place_of_one_that_was_read_is_noticed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_module, "_SETTLED_NS", -(10**12))
    store = Store(path)
    older = tmp_path / "older"
    with start_run(store=path, name="goes on") as run:
        run.update_metrics({"loss": 1.0})
        assert store.summary("last")["loss"].count == 1
        older.write_bytes(path.read_bytes())
        run.update_metrics({"loss": 2.0})
        assert store.summary("last")["loss"].count == 2
        older.replace(path)

        with pytest.warns(StoreWarning, match="is an older one than before"):
            assert store.summary("last")["loss"].count == 2
        assert store.sql(
            "select count(*) from metrics where run = 'goes on'"
        ).fetchall() == [(2,)]
