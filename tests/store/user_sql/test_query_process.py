"""A query runs in a process of its own, which can be killed without harm."""

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import duckdb
import numpy as np
import pytest

import stepwell
from stepwell.store import (
    ConfigurationError,
    QueryError,
    QueryTimeoutError,
    Store,
    open_store,
)
from stepwell.store.database.attach import attach
from stepwell.store.database.duckdb_instance import new_memory
from stepwell.store.database.file_guard import FileGuard
from stepwell.store.database.lease import lease_of
from stepwell.store.database.turns import QUERY
from stepwell.store.files.location import resolve
from stepwell.store.schema.tables import TABLES, VIEWS
from stepwell.store.user_sql import answer_frames, start_process
from stepwell.store.user_sql.query_process import MEMORY
from stepwell.store.user_sql.run_query import run_query

Output = Callable[..., str]
Python = Callable[..., subprocess.Popen[str]]
ENDLESS = "select count(*) from range(100_000_000_000) a, range(1000) b"
LATE = 1.0
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/limits").exists(), reason="the system has no /proc to ask"
)
HOLDS = """
import sys
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve

with lease_of(resolve(sys.argv[1])).locked():
    print("held", flush=True)
    input()
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("process") / "runs.duckdb"
    with stepwell.init("digits", "first", store=path) as run:
        for number in range(10):
            run.log({"loss": number})
    opened = open_store(path)
    opened.sql("select 1")
    return opened


def test_a_query_that_crashes_duckdb_is_an_error(store: Store) -> None:
    with pytest.raises(QueryError, match="ended at this query without an answer"):
        store.sql("select (repeat('[', 100000) || repeat(']', 100000))::json::variant")
    assert store.sql("select 1").fetchall() == [(1,)]


def test_a_query_is_interrupted_at_once(store: Store) -> None:
    begun = time.monotonic()
    with while_queried(store, lambda: os.kill(os.getpid(), signal.SIGINT)):
        with pytest.raises(KeyboardInterrupt):
            store.sql(ENDLESS, timeout=100)
    assert time.monotonic() - begun < 50
    assert store.sql("select 1").fetchall() == [(1,)]


def test_queries_of_two_threads_run_side_by_side(
    store: Store, stop_query: Callable[[threading.Thread], None]
) -> None:
    stopped = threading.Event()

    def ask() -> None:
        with pytest.raises(QueryError):
            store.sql("select sleep_ms(60_000)", timeout=100)
        stopped.set()

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(lambda: is_queried(store))
    assert store.sql("select 1").fetchall() == [(1,)]
    assert not stopped.is_set()
    stop_query(thread)
    assert stopped.is_set()


def test_an_idle_process_that_was_killed_is_replaced(store: Store) -> None:
    store.sql("select 1")
    for worker in list(start_process._all):
        with suppress(ProcessLookupError):
            os.killpg(worker._pid, signal.SIGKILL)

    assert store.sql("select 1").fetchall() == [(1,)]


def test_a_query_whose_server_was_killed_begins_anew_at_once(store: Store) -> None:
    store.sql("select 1")
    (worker,) = start_process._idle[-1:]
    begun = time.monotonic()
    with while_queried(store, lambda: os.kill(worker._pid, signal.SIGKILL)):
        with pytest.raises(QueryTimeoutError):
            store.sql(ENDLESS, timeout=1)
    assert time.monotonic() - begun < 2 + LATE
    wait_for(lambda: not is_queried(store))


def test_nothing_of_a_query_is_left_for_the_next(store: Store) -> None:
    store.sql("pivot metrics on metric using avg(value)")
    types = "select count(*) from duckdb_types() where type_name like '%pivot%'"

    assert store.sql(types).fetchall() == [(0,)]


def test_the_process_of_a_query_dies_with_its_parent(
    store: Store, python: Callable[..., subprocess.Popen[str]]
) -> None:
    code = f"""
        import sys, threading
        from stepwell.store import Store
        from stepwell.store.user_sql import start_process
        store = Store(sys.argv[1])
        store.sql("select 1")
        print(*[worker._pid for worker in start_process._all], flush=True)
        store.sql({ENDLESS!r}, timeout=300)
    """
    program = python(code, store.location)
    assert program.stdout is not None
    group = int(program.stdout.readline())
    wait_for(lambda: is_queried(store))
    program.kill()
    program.wait()

    wait_for(lambda: not is_queried(store) and not has_group(group))


def has_group(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def is_queried(store: Store) -> bool:
    turns = lease_of(resolve(store.location))._open_turns()
    return turns._gate.is_signed(QUERY)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def while_queried(store: Store, act: Callable[[], object]) -> Iterator[None]:
    """Act in another thread, a moment after a query has begun in the block."""
    is_over = threading.Event()

    def wait_and_act() -> None:
        while not is_over.is_set() and not is_queried(store):
            time.sleep(0.01)
        if not is_over.wait(0.2):
            with suppress(ProcessLookupError, FileNotFoundError):  # it has just ended
                act()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_a_forked_child_has_queries_of_its_own(store: Store, output: Output) -> None:
    code = """
        import os, sys
        from stepwell.store import Store
        from stepwell.store.user_sql import start_process
        store = Store(sys.argv[1])
        store.sql("select 1")
        child = os.fork()
        if child == 0:
            print(len(start_process._all), store.sql("select 2").fetchall(), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print(store.sql("select 3").fetchall())
    """
    assert output(code, store.location) == "0 [(2,)]\n[(3,)]\n"


def test_the_command_forks_its_process_before_it_has_threads(
    store: Store, output: Output
) -> None:
    code = """
        import sys
        from stepwell.store import fork_query_process
        from stepwell.store.user_sql import start_process
        fork_query_process()
        from stepwell.store import Store
        (worker,) = start_process._all
        print(Store(sys.argv[1]).sql("select 1").fetchall())
        print(start_process._all == {worker})
        fork_query_process()  # it has threads now
        print(len(start_process._all))
    """
    assert output(code, store.location) == "[(1,)]\nTrue\n1\n"


def test_a_program_without_standard_streams_can_ask(store: Store, output: Output) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from stepwell.store import Store
        for stream in range(3):
            os.close(stream)
        found = Store(sys.argv[1]).sql("select 1").fetchall()
        Path(sys.argv[2]).write_text(str(found))
        os._exit(0)
    """
    said = store.location.with_name("said.txt")
    output(code, store.location, said)
    assert said.read_text() == "[(1,)]"


def stop_children(pid: int) -> None:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    for child in children.split():
        os.kill(int(child), signal.SIGSTOP)


STOPS: dict[str, Callable[[int], None]] = {
    "server": lambda pid: os.kill(pid, signal.SIGSTOP),
    "query": stop_children,
    "both": lambda pid: os.killpg(pid, signal.SIGSTOP),
}


@pytest.mark.parametrize("stopped", STOPS)
@pytest.mark.parametrize("later", [False, True])
def test_who_was_stopped_costs_the_asker_the_querys_limit(
    store: Store, stopped: str, later: bool
) -> None:
    store.sql("select 1")
    (worker,) = start_process._idle[-1:]

    def stop() -> None:
        STOPS[stopped](worker._pid)

    if not later:
        stop()

    begun = time.monotonic()
    with while_queried(store, stop) if later else nullcontext():
        with pytest.raises(QueryTimeoutError):
            store.sql(ENDLESS + " --" + "x" * 100_000, timeout=1)

    assert time.monotonic() - begun < 1 + LATE
    assert store.sql("select 1").fetchall() == [(1,)]


def bytes_of_address_space(pid: int) -> int | None:
    """The most that the system lets a process have; None without a limit."""
    limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    (line,) = (one for one in limits.splitlines() if one.startswith("Max address space"))
    soft, hard = line.split()[3:5]
    assert soft == hard
    return None if soft == "unlimited" else int(soft)


@needs_proc
def test_the_system_bounds_the_memory_of_each_query(
    store: Store, stop_query: Callable[[threading.Thread], None]
) -> None:
    mine = resource.getrlimit(resource.RLIMIT_AS)

    def ask() -> None:
        with suppress(QueryError):
            store.sql("select sleep_ms(60_000)", timeout=100)

    store.sql("select 1")
    (worker,) = start_process._idle[-1:]
    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(lambda: is_queried(store))

    def limits() -> set[int | None]:
        listed = Path(f"/proc/{worker._pid}/task/{worker._pid}/children").read_text("ascii")
        return {bytes_of_address_space(int(child)) for child in listed.split()}

    # The one that runs has the limit; another one may be ready, without a query yet.
    wait_for(lambda: limits() != {None})
    (limit,) = limits() - {None}
    stop_query(thread)

    assert limit is not None
    assert MEMORY < limit < 4 * MEMORY
    assert resource.getrlimit(resource.RLIMIT_AS) == mine


@needs_proc
@pytest.mark.parametrize(
    "query",
    [
        # Memory that DuckDB's own limit does not know of, and that is never touched.
        "select reservoir_quantile(i, 0.5, 1_000_000_000) from range(9) t(i)",
        "select reservoir_quantile(i, 0.5, 300_000_000) from range(9) t(i) group by i % 2",
        "explain analyze select reservoir_quantile(1, 0.5, 1_000_000_000)",
    ],
)
@pytest.mark.parametrize("limit", [None, 10])
def test_a_query_that_wants_more_memory_than_the_system_lets_it_have_is_an_error(
    store: Store, query: str, limit: int | None
) -> None:
    with pytest.raises(QueryError):
        store.sql(query, limit=limit, timeout=60)

    assert store.sql("select reservoir_quantile(1, 0.5, 1_000_000)").fetchall() == [(1,)]


def test_a_wait_for_the_store_is_no_silence(store: Store, python: Python) -> None:
    found = None
    for seconds in (0.2, 1.0, 5.0):  # of which a busy machine may need more
        store.sql("select 1")
        held = python(HOLDS, str(store.location), stdin=subprocess.PIPE)
        assert held.stdout is not None
        assert held.stdout.readline() == "held\n"
        timer = threading.Timer(1.3 + seconds, held.communicate, ["go\n"])
        timer.start()
        with suppress(QueryTimeoutError):
            found = run_query(store.location, "select 1", wait=60, seconds=seconds)
        timer.join()
        assert held.returncode == 0
        if found is not None:
            break

    assert found is not None
    assert found.fetchall() == [(1,)]


def test_a_limit_stops_the_query_at_its_source(store: Store) -> None:
    result = store.sql("from range(1_000_000_000_000)", limit=3)

    assert result.fetchall() == [(0,), (1,), (2,)]
    assert result.is_cut
    assert result.to_numpy()["range"].dtype == np.int64
    assert not store.sql("from range(3)", limit=3).is_cut
    with pytest.raises(ConfigurationError, match="limit must be 1 or more, not 0"):
        store.sql("select 1", limit=0)


KINDS = """
    select
        c::boolean as flag, c::tinyint as tiny, c::smallint as small, c::integer as int,
        c::bigint as big, c::utinyint as u_tiny, c::ubigint as u_big, c::float as float,
        c / 3::double as double, 'größer' || chr(0) || c as text,
        timestamp '2026-01-01 12:00:00.000001' + to_days(c) as time,
        md5(c::varchar)::uuid as id, [c, null] as list, 'x'::blob as data
    from (values (0), (1), (null), (7)) t(c)
"""


@pytest.mark.parametrize("columns", ["* exclude (id, list, data)", "*", "text", "int"])
@pytest.mark.parametrize("rows", ["true", "false", "int is null", "int is not null"])
def test_arrays_and_rows_are_the_same(store: Store, columns: str, rows: str) -> None:
    query = f"with kinds as ({KINDS}) select {columns} from kinds where {rows}"  # noqa: S608
    arrays = store.sql(query)
    limited = store.sql(query, limit=100)

    assert repr(arrays.fetchall()) == repr(limited.fetchall())
    for name, found in arrays.to_numpy().items():
        other = limited.to_numpy()[name]
        assert (found.dtype, found.shape) == (other.dtype, other.shape)
        assert np.ma.getmaskarray(found).tolist() == np.ma.getmaskarray(other).tolist()


COLUMNS = {
    "few": "['a', 'ab', '', 'größer', 'a' || chr(0), 'train/loss'][1 + i % 6]",
    "plain": "['a', 'b', 'abcdefgh', 'abcdefghi', repeat('x', 64)][1 + i % 5]",
    "rare": "if(i = 4321, 'rare', 'often')",
    "many": "md5(i::varchar)",
    "long": "repeat('x', 100) || i % 3",
    "missing": "if(i % 3 = 0, null, 'x' || i % 4)",
    "nothing": "null::varchar",
    "id": "if(i % 7 = 0, null, md5((i % 3)::varchar)::uuid)",
    "ids": "md5(i::varchar)::uuid",
    "json": "if(i % 7 = 0, null, json_object('a', i % 3))",
    "number": "if(i % 7 = 0, null, i)::integer",
    "flag": "if(i % 7 = 0, null, i % 2 = 0)",
}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("count", [5000, 200_000])
def test_long_columns_arrive_as_they_are(store: Store, column: str, count: int) -> None:
    query = f"select {COLUMNS[column]} as c from range({count}) t(i)"  # noqa: S608
    found, rows = store.sql(query), store.sql(query, limit=count)

    assert found.fetchall() == rows.fetchall()
    array, other = found.to_numpy()["c"], rows.to_numpy()["c"]
    assert array.dtype == other.dtype
    assert np.ma.getmaskarray(array).tolist() == np.ma.getmaskarray(other).tolist()


def test_a_result_beyond_all_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_frames, "_MOST_BYTES", 10_000)
    connection = duckdb.connect()
    found = answer_frames.frames_of_arrays(connection.sql("from range(2000)"))
    assert found is not None
    with pytest.raises(QueryError, match="narrow the query, or give a limit"):
        list(found)
    connection.execute("select [i] from range(1000) t(i)")
    with pytest.raises(QueryError, match="narrow the query, or give a limit"):
        list(answer_frames.frames_of_rows(connection, None))
    connection.close()


@pytest.mark.parametrize(
    "change", ["alter table points rename rank to place", "drop table names_"]
)
def test_a_store_of_other_tables_has_no_views(store_path: Path, change: str) -> None:
    views = "select view_name from duckdb_views() where not internal and temporary"
    memory, guard = new_memory(), FileGuard(store_path)
    guard.before(memory)
    attach(memory, store_path, "store", "READ_ONLY")
    guard.look(memory)
    guard.make_views(memory, {"names_"})
    some = memory.execute(views).fetchall()
    guard.make_views(memory)
    made = memory.execute(views).fetchall()
    memory.execute("DETACH store")
    with duckdb.connect(str(store_path)) as connection:
        connection.execute(change)
    attach(memory, store_path, "store", "READ_ONLY")

    guard.look(memory)
    guard.make_views(memory)

    left = memory.execute(views).fetchall()
    memory.close()
    assert some == [("names_",)]
    assert {name for (name,) in made} == TABLES.keys() | VIEWS.keys()
    assert left == []
