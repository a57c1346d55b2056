"""What a scan calls cut, which is the last write of a process, and what damaged."""

from pathlib import Path

import pytest

import stepwell
from stepwell.store.journal.damage_scan import scan_journal
from stepwell.store.journal.format import MAGIC


def _journal(store_path: Path) -> bytes:
    run = stepwell.init(store=store_path, name="one")
    (path,) = Path(f"{store_path}.journal").glob("*.journal")
    whole = path.read_bytes()
    run.finish()
    return whole


@pytest.mark.parametrize("length", [1, len(MAGIC), len(MAGIC) + 3, len(MAGIC) + 40])
def test_a_header_without_its_end_is_cut(store_path: Path, length: int) -> None:
    path = store_path.with_name("some.journal")
    path.write_bytes(_journal(store_path)[:length])

    scan = scan_journal(path)

    assert (scan.header, scan.cut, scan.damaged_bytes) == (None, length, 0)


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 31, 32, 255])
@pytest.mark.parametrize("begin", [b"", MAGIC])
def test_what_begins_no_journal_is_damaged(tmp_path: Path, begin: bytes, kind: int) -> None:
    """Also where its bytes would be the beginning of a long record."""
    text = begin + b"\xff\xff\x00\x00" + bytes([kind]) + b"\xee" * 3000
    path = tmp_path / "some.journal"
    path.write_bytes(text)
    is_cut = begin == MAGIC and kind == 1

    scan = scan_journal(path)

    assert scan.header is None
    assert (scan.cut, scan.damaged_bytes) == ((len(text), 0) if is_cut else (0, len(text)))
