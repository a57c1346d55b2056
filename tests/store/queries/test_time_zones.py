"""Questions about times have the same answers in every time zone."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import stepwell
from stepwell.store import open_store
from stepwell.store.database import lease as lease_module
from stepwell.store.files.location import resolve

ZONES = ["UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati"]


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


QUESTIONS = [
    "select count(*) from runs where created_at > now() - interval 1 hour"
    " and created_at <= now()",
    "select count(*) from runs where created_at::timestamptz between"
    " now() - interval 1 hour and now()",
    "select count(*) from runs where abs(epoch(now()::timestamp - created_at)) < 3600",
    "select count(*) from runs where finished_at >= current_timestamp - interval 1 hour",
    "select count(*) from points where time > now() - interval 1 hour and time <= now()",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_query_finds_the_runs_of_the_last_hour(
    store_path: Path, zone: str, question: str
) -> None:
    with stepwell.init(store=store_path) as run:
        run.log({"loss": 1.0})
    assert open_store(store_path).sql(question).fetchall() == [(1,)], zone


def test_a_time_is_the_same_text_in_every_zone(store_path: Path, zone: str) -> None:
    query = "select '2026-07-01 12:00:00+02:00'::timestamptz::varchar"
    assert open_store(store_path).sql(query).fetchall() == [("2026-07-01 10:00:00+00",)]


def test_the_stores_own_connections_are_in_utc(new_path: Path, zone: str) -> None:
    stepwell.init(store=new_path).finish(wait=True)
    lease = lease_module.Lease(resolve(new_path))
    try:
        for leased in (lease.shared, lease.exclusive):
            with leased() as connection:
                found = connection.execute("select current_setting('TimeZone')").fetchone()
                assert found == ("UTC",), zone
    finally:
        lease.close()


def test_the_command_line_has_the_same_answers(
    store_path: Path, output: Callable[..., str]
) -> None:
    stepwell.init(store=store_path).finish()
    code = "import sys; from stepwell.cli import start; start()"
    ask = ["--store", store_path, "sql", f"{QUESTIONS[0]}", "--format", "json"]
    for zone in ("Asia/Tokyo", "America/Los_Angeles"):
        environment: dict[str, Any] = {**os.environ, "TZ": zone}
        found = json.loads(output(code, *ask, env=environment))
        assert list(found[0].values()) == [1]
