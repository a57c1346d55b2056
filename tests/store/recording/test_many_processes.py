"""Many processes write and read one store at once; nothing is lost, nothing is twice."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stepwell.store import open_store

Python = Callable[..., subprocess.Popen[str]]
Rows = Callable[..., list[tuple[Any, ...]]]

WRITES = """
import random, sys
import stepwell

number = int(sys.argv[2])
draw = random.Random(number)
sys.stdin.readline()
run = stepwell.init(store=sys.argv[1], name=f"run {number}", config={"seed": number})
for call in range(2000):
    run.log({
        "number": call, "noise": draw.random(), f"own {number}": -call, "flag": call % 2,
        "late": call if call % 10 == 0 else None, "fifth": 0.5,
    })
run.finish()
"""

READS = """
import json, os, sys
from stepwell.store import Store, open_store

store = open_store(sys.argv[1])
sys.stdin.readline()
seen, reads, problems = {}, 0, []
is_over = False
while not is_over:
    is_over = os.path.exists(sys.argv[1] + ".over")
    for row in store.overview():
        if row.points < seen.get(row.run.name, 0):
            problems.append(f"{row.run.name} lost points it had")
        seen[row.run.name] = row.points
        for metric, found in store.summary(row.run).items():
            if metric == "number" and (found.max, found.min) != (found.count - 1, 0):
                problems.append(f"{row.run.name}: {found}")
    counted = "select count(*) from points p anti join runs r on p.run_id = r.run_id"
    if store.sql(counted).fetchall() != [(0,)]:
        problems.append("points without a run")
    reads += 1
print(json.dumps([seen, reads, problems]))
"""


def test_eight_writers_and_two_readers_all_the_time(
    store_path: Path, python: Python, rows: Rows
) -> None:
    open_store(store_path)
    writers = [python(WRITES, store_path, number) for number in range(8)]
    readers = [python(READS, store_path) for _ in range(2)]
    for process in [*readers, *writers]:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()

    ends = [process.communicate(timeout=100) for process in writers]
    store_path.with_name(store_path.name + ".over").touch()
    answers = [process.communicate(timeout=100) for process in readers]

    assert ends == [("", "")] * 8
    assert [process.returncode for process in [*writers, *readers]] == [0] * 10
    for printed, errors in answers:
        seen, reads, problems = json.loads(printed)
        assert (errors, problems) == ("", [])
        assert reads >= 1
        assert seen == {f"run {number}": 10_200 for number in range(8)}

    found = rows(
        "select run, metric, count(*), count(distinct step), sum(value) from metrics"
        " where metric not in ('noise', 'late') group by all order by all"
    )
    total = 1999 * 2000 / 2
    assert found == sorted(
        row
        for run in (f"run {number}" for number in range(8))
        for row in [
            (run, "number", 2000, 2000, total),
            (run, run.replace("run", "own"), 2000, 2000, -total),
            (run, "flag", 2000, 2000, 1000),
            (run, "fifth", 2000, 2000, 1000),
        ]
    )
    assert rows("select distinct status from runs") == [("finished",)]
    journals = store_path.with_name(store_path.name + ".journal")
    assert not list(journals.glob("*.journal*"))
