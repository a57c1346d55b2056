"""Hidden folders that a killed command left: named by doctor, and removed by the next."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.store import (
    Store,
    copy_store,
    examine,
    open_store,
    repair_store,
    start_run,
)
from stepwell.store.files.hidden_folder import hidden_folder

LEFT_BY: dict[str, Callable[[Path, Path], object]] = {
    ".copy": copy_store,
    ".repair": repair_store,
    ".part": lambda path, made: Store(path).export(made.parent, "csv", force=True),
}


@pytest.mark.parametrize("what", LEFT_BY)
def test_what_a_kill_left_is_named_and_goes_with_the_next(
    store_path: Path, tmp_path: Path, what: str
) -> None:
    with start_run(name="one", store=store_path) as run:
        run.log({"loss": 1.0})
    made = tmp_path / ("runs.csv" if what == ".part" else "made.duckdb")
    program = (
        "import os, sys; from pathlib import Path;"
        "from stepwell.store.files.hidden_folder import hidden_folder;"
        "held = hidden_folder(Path(sys.argv[1]), sys.argv[2]); folder = held.__enter__();"
        "(folder / 'much').write_bytes(b'x' * 1000); os.kill(os.getpid(), 15)"
    )
    subprocess.run([sys.executable, "-c", program, str(made), what], check=False)
    (left,) = tmp_path.glob(f".*{what}-*")
    said = [one.message for one in examine(store_path) if one.check == "orphans"]
    assert any(left.name in one and "that was killed" in one for one in said), said

    with hidden_folder(made, what) as used:  # takes away the dead one, not one in use
        assert not left.exists()
        assert all(used.name not in one.message for one in examine(store_path))
        LEFT_BY[what](store_path, made)
        assert used.exists()

    assert not list(tmp_path.glob(f".*{what}-*"))


def test_what_somebody_else_put_there_is_neither_removed_nor_followed(
    store_path: Path, tmp_path: Path
) -> None:
    open_store(store_path)
    made, precious = tmp_path / "made.duckdb", tmp_path / "precious"
    precious.mkdir()
    with hidden_folder(made, ".copy") as folder:
        name = folder.name
    (tmp_path / name).symlink_to(precious)
    (tmp_path / f"{name}2").mkdir()  # nobody holds it, and it was made just now
    (tmp_path / f"{name}3").mkdir()
    os.mkfifo(tmp_path / f"{name}3" / ".held")

    copy_store(store_path, made)

    assert precious.is_dir()
    assert {p.name for p in tmp_path.glob(".*.copy-*")} == {name, f"{name}2", f"{name}3"}
    said = " ".join(one.message for one in examine(store_path))
    assert name not in said, said
