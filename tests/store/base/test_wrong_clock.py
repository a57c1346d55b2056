"""A computer whose clock is wrong by centuries records runs that can be read."""

import os
import time
import warnings
from pathlib import Path

import pytest
from click.testing import CliRunner

from stepwell.cli import main
from stepwell.store import StoreWarning, open_store, start_run

CLOCKS = [-1, -(10**18), -(2**63), 0, 2**62, 2**63 - 1, 10**30, None]


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_run_is_recorded_and_read_whatever_the_clock_says(
    store_path: Path, monkeypatch: pytest.MonkeyPatch, clock: int | None
) -> None:
    real = time.time_ns

    def time_ns() -> int:
        if clock is None:
            raise OverflowError("timestamp too large to convert to C _PyTime_t")
        return clock + real() % 10**9

    def record() -> None:
        with start_run(name="odd", store=store_path) as run:
            for step in range(3):
                run.log({"loss": 1.0}, step=step)

    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", time_ns)
        if clock is None or not -(2**62) <= clock < 7 * 10**18:
            with pytest.warns(StoreWarning, match="the computer's clock is wrong"):
                record()
        else:
            record()
    with start_run(name="even", store=store_path) as run:
        run.log({"loss": 2.0})

    store = open_store(store_path)
    odd = store.run("odd")
    assert odd.finished_at is not None
    assert 0 <= (odd.finished_at - odd.created_at).total_seconds() < 60
    assert 1823 <= odd.created_at.year <= 2200
    assert store.series("odd", "loss").steps.tolist() == [0, 1, 2]
    assert store.run("even").status == "finished"
    query = "select count(*) from points where time < '2300-01-01' and time > '1700-01-01'"
    assert store.sql(query).fetchall() == [(4,)]
    for command in (["ls"], ["show", "odd"], ["show", "odd", "--json"]):
        result = CliRunner().invoke(main, ["--store", str(store_path), *command])
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize("moment", [-(2**31), 2**34, 10**13])
def test_a_journal_of_an_odd_time_is_folded(store_path: Path, moment: int) -> None:
    with warnings.catch_warnings():
        run = start_run(store=store_path)
        run.log({"loss": 1.0})
        try:
            os.utime(run._writer.journal.path, (moment, moment))
        except (OSError, OverflowError):
            pytest.skip("the disk keeps no such time")
        assert run.summary()["loss"].count == 1
        run.finish()
    assert open_store(store_path).run(run.id).status == "finished"
