"""Questions to a store of three short runs: in a warm process, and a process's first."""

import time
from collections.abc import Callable

from _timing import Claim, compiled, folder, fresh, main, milliseconds

import stepwell

RUNS, CALLS = 3, 1000
MEANS = "select run, mean from summary where metric = 'loss'"
FIRST = ("summary", "leaderboard", "sql")


def record(store: str) -> None:
    """A few runs of two metrics."""
    for number in range(RUNS):
        with stepwell.init(name=f"run-{number}", store=store) as run:
            for step in range(CALLS):
                run.log({"loss": 1 / (1 + step), "acc": step / CALLS}, step=step)


def ask(store: str) -> list[float]:
    """Milliseconds for each question, warm: the median of fifteen."""
    with stepwell.open_store(store) as opened:
        run = opened.run("run-1")
        questions: list[Callable[[], object]] = [
            lambda: opened.run("run-1"),
            lambda: opened.summary("run-1"),
            lambda: opened.leaderboard("loss"),
            lambda: opened.reduced(run, ["loss"], columns=1000),
            lambda: opened.sql("select 1").fetchall(),
            lambda: opened.sql(MEANS).fetchall(),
        ]
        return [milliseconds(question, 15) for question in questions]


def ask_first(store: str, which: str) -> float:
    """Milliseconds from opening the store to the answer, with DuckDB's import done."""
    import duckdb  # noqa: F401, PLC0415 (left out of the time, and no other case's)

    begin = time.perf_counter()
    with stepwell.open_store(store) as opened:
        match which:
            case "summary":
                opened.summary("run-1")
            case "leaderboard":
                opened.leaderboard("loss")
            case _:
                opened.sql(MEANS).fetchall()
        return 1000 * (time.perf_counter() - begin)


def measure(repetitions: int) -> list[Claim]:
    """One store; each repetition asks it from fresh processes."""
    with folder() as path, compiled():
        store = path / "store.duckdb"
        fresh(record, store)
        fresh(ask_first, store, "sql")
        warm = [fresh(ask, store) for _ in range(repetitions)]
        first = [
            [fresh(ask_first, store, what) for what in FIRST] for _ in range(repetitions)
        ]
    run, summary, leaderboard, reduced, one, means = map(list, zip(*warm, strict=True))
    first_summary, first_leaderboard, first_sql = map(list, zip(*first, strict=True))
    return [
        Claim("small store: a run", run, "ms", most=3.3),
        Claim("small store: a summary", summary, "ms", most=5.5),
        Claim("small store: a leaderboard", leaderboard, "ms"),
        Claim("small store: 1,000 points to columns", reduced, "ms", most=11),
        Claim("small store: Store.sql, select 1", one, "ms"),
        Claim("small store: Store.sql, a summary", means, "ms", most=12),
        Claim("a process's first question: summary", first_summary, "ms", most=27),
        Claim("a process's first question: leaderboard", first_leaderboard, "ms", most=40),
        Claim("a process's first question: Store.sql", first_sql, "ms", most=160),
    ]


if __name__ == "__main__":
    main(measure)
