"""Where others may write, a link of a stranger to a store or an output is not followed."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import Store, StoreLocationError, open_store, start_run

STRANGER = 65534
GROUP = 65533

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes others' links")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that everybody may write to, as /tmp is."""
    path = tmp_path / "shared"
    path.mkdir()
    path.chmod(0o1777)
    return path


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine" / "runs.duckdb"
    with start_run(name="one", store=path) as run:
        run.log({"loss": 1.0})
        run.finish(wait=True)
    return path


def link(path: Path, target: Path, owner: int = STRANGER, group: int = STRANGER) -> Path:
    path.symlink_to(target)
    os.lchown(path, owner, group)
    return path


@pytest.mark.parametrize("way", ["store", "new store", "folder", "two links"])
def test_a_store_is_not_reached_through_it(folder: Path, mine: Path, way: str) -> None:
    path = folder / "runs.duckdb"
    if way == "store":
        link(path, mine)
    elif way == "new store":
        link(path, mine.with_name("new.duckdb"))
    elif way == "folder":
        path = link(folder / "runs", mine.parent) / "runs.duckdb"
    else:
        link(path, link(folder / "second", mine), owner=0)

    for ask in (
        lambda: open_store(path),
        lambda: start_run(store=path),
        lambda: Store(path).note("one", "changed"),
    ):
        with pytest.raises(StoreLocationError, match=r"a link of .* others may write to"):
            ask()
    result = CliRunner().invoke(main, ["--store", str(path), "ls"])
    assert (result.exit_code, len(result.output.splitlines())) == (2, 1), result.output
    assert not mine.with_name("new.duckdb").exists()
    assert [(run.name, run.notes) for run in Store(mine).runs()] == [("one", None)]


@pytest.mark.parametrize("name", ["loss.png", "runs.csv", "loss.parquet"])
def test_an_output_is_not_written_through_it(folder: Path, mine: Path, name: str) -> None:
    target = mine.with_name("secret")
    target.write_text("as it was")
    output = link(folder / name, target)

    word = ["plot", "one"] if name.endswith("png") else ["sql", "from metrics"]
    command = ["--store", str(mine), *word, "-o", str(output)]
    result = CliRunner().invoke(main, command)

    assert (result.exit_code, len(result.output.splitlines())) == (2, 1), result.output
    assert "a link of" in result.output
    assert target.read_text() == "as it was"


@pytest.mark.parametrize("whose", ["mine", "the owner's", "a member's"])
def test_other_links_are_followed(folder: Path, mine: Path, whose: str) -> None:
    path = folder / "runs.duckdb"
    if whose == "mine":
        link(path, mine, owner=0)
    elif whose == "the owner's":
        os.chown(mine, STRANGER, STRANGER)
        link(path, mine)
    else:
        folder.chmod(0o2770)
        os.chown(folder, 0, GROUP)
        link(path, mine, group=GROUP)

    assert [run.name for run in open_store(path).runs()] == ["one"]


def test_in_a_folder_of_ones_own_any_link_is_followed(tmp_path: Path, mine: Path) -> None:
    path = link(tmp_path / "runs.duckdb", mine)

    assert [run.name for run in open_store(path).runs()] == ["one"]
