"""However a journal grew and was damaged, whole records stay and none is made up."""

import os
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepwell.store import Store
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve
from stepwell.store.ingest.ingest import fold
from stepwell.store.journal.files import read_header
from stepwell.store.journal.format import POINTS, whole_record
from stepwell.store.journal.writer_alive import process_started
from stepwell.store.recording.run_writer import RunWriter

MakeWriter = Callable[..., RunWriter]
EXAMPLES = int(os.environ.get("STEPWELL_FUZZ_EXAMPLES", "12"))

POINTS_OF = "select step, metric, value from points where run_id = '{}'"
SKIPPED_OF = "select skipped_bytes from journals_ where writer = '{}'"

# How many calls are made, and of how many metrics; or a fold; or a budget for the next.
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 40), st.integers(1, 4)),
        st.just("fold"),
        st.sampled_from([300, 2000]),
    ),
    max_size=6,
)


def records(data: bytes, start: int) -> list[tuple[int, int]]:
    """Kind and end of each whole record from *start* on, read one by one."""
    found = []
    while (record := whole_record(memoryview(data), start)) is not None:
        start = record[2] + 4
        found.append((record[0], start))
    return found


def points_of(store_path: Path, run_id: str) -> list[tuple[int, str, float]]:
    return sorted(Store(store_path).sql(POINTS_OF.format(run_id)).fetchall())


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(actions=ACTIONS, place=st.floats(0, 1), bit=st.none() | st.integers(0, 7))
def test_damage_costs_nothing_before_it_and_invents_nothing(
    actions: list[Any],
    place: float,
    bit: int | None,
    make_writer: MakeWriter,
    store_path: Path,
) -> None:
    lease = lease_of(resolve(store_path))
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        born = process_started(process.pid)
        writer = make_writer(pid=process.pid, process_started=born)
        path = writer.journal.path
        calls, folded = play(actions, writer, lambda: fold(lease))
        process.kill()

    data = bytearray(path.read_bytes())
    found = read_header(path)
    assert found is not None
    ends = [stop for kind, stop in records(bytes(data), found[1]) if kind == POINTS]
    assert len(ends) == len(calls)
    # Damage anywhere behind the header: a cut, or one bit.
    at = found[1] + int(place * (len(data) - 1 - found[1]))
    if bit is None:
        os.truncate(path, at)
    else:
        data[at] ^= 1 << bit
        path.write_bytes(data)
    left = path.read_bytes()

    aside = path.with_name(path.name + ".damaged")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        kept = points_of(store_path, writer.header.run_id)
    assert [f"{aside.name} is damaged" in str(one.message) for one in warned] == (
        [True] * aside.exists()
    )

    whole = sum(end <= at for end in ends)
    said = [
        [(step, name, value) for name, value in metrics.items()]
        for step, metrics in enumerate(calls)
    ]
    if at < folded and bit is not None:
        whole = len(calls)  # it was read before, and what is behind it is whole
    elif at < folded:
        whole = sum(end <= folded for end in ends)
    else:
        stop = max([found[1], *(stop for _, stop in records(left, found[1]))])
        assert skipped(store_path, writer) == len(left) - stop
    assert kept == sorted(point for call in said[:whole] for point in call)
    if bit is not None and ends[whole + 1 :]:
        assert aside.read_bytes() == left
    assert points_of(store_path, writer.header.run_id) == kept


def skipped(store_path: Path, writer: RunWriter) -> int:
    query = SKIPPED_OF.format(writer.header.writer)
    found: int = Store(store_path).sql(query).fetchall()[0][0]
    return found


def play(
    actions: list[Any], writer: RunWriter, fold_now: Callable[[], None]
) -> tuple[list[dict[str, float]], int]:
    """Do it; gives the calls, and the bytes that were folded."""
    recorder, folded = writer.recorder(), 0
    calls: list[dict[str, float]] = []
    with pytest.MonkeyPatch.context() as patch:
        for action in actions:
            if action == "fold":
                fold_now()
                folded = writer.journal.path.stat().st_size
            elif isinstance(action, int):
                patch.setattr("stepwell.store.ingest.ingest.BUDGET", action)
            else:
                count, width = action
                for _ in range(count):
                    metrics = {f"m{n}": len(calls) + n / 8 for n in range(width)}
                    recorder.log(metrics)
                    calls.append(metrics)
    return calls, folded
