"""The comparison with other tools: its harness measures Stepwell, and writes its page."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "bench" / "peers" / "run"
WORKLOADS = ("call", "kill", "odd")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("peers")
    run(folder, *WORKLOADS)
    return folder


def run(folder: Path, *workloads: str) -> str:
    command = [sys.executable, str(RUN), "--here", "--tiny", "--rounds", "1"]
    command += ["--cache", str(folder / "cache"), "--output", str(folder / "page.md")]
    command += ["--workloads", *workloads]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stderr


def rows(folder: Path, heading: str) -> dict[str, str]:
    """Heads and cells of Stepwell's row in the table below a heading."""
    text = (folder / "page.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    head, _, row = [line for line in section.splitlines() if line.startswith("|")][:3]
    names, cells = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in (head, row)
    )
    assert cells[0] == "Stepwell"
    return dict(zip(names, cells, strict=True))


def test_a_call_is_measured_and_all_of_it_is_found_again(measured: Path) -> None:
    cells = rows(measured, "A call")
    assert float(cells["median, µs"]) > 0
    assert float(cells["to durable, points/s"].replace(",", "")) > 0
    assert cells["not there, calls"] == "0"


def test_a_killed_burst_is_counted_by_the_ledger(measured: Path) -> None:
    cells = rows(measured, "Killed")
    assert int(cells["acknowledged, calls"].replace(",", "")) > 0
    assert [cells[f"{what}, calls"] for what in ("lost", "twice", "invented")] == ["0"] * 3
    assert cells["state it shows"] == "crashed"


def test_odd_values_come_back_as_they_were(measured: Path) -> None:
    cells = rows(measured, "Odd values")
    assert set(cells.values()) == {"Stepwell", "kept", "absent"}


def test_the_page_says_what_was_not_measured_and_nothing_of_this_machine(
    measured: Path,
) -> None:
    text = (measured / "page.md").read_text(encoding="utf-8")
    assert text.count("Not measured.") == 5
    assert not re.search(r"\$\w+", text)
    assert str(measured) not in text
    assert str(Path.home()) not in text


def test_what_has_been_measured_is_not_measured_again(measured: Path) -> None:
    kept = (measured / "cache" / "results.json").read_text(encoding="utf-8")
    said = run(measured, *WORKLOADS)
    assert (measured / "cache" / "results.json").read_text(encoding="utf-8") == kept
    assert len(json.loads(kept)) == len(WORKLOADS)
    assert said.startswith("wrote ")
