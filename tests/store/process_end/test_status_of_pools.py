"""Workers of pools, by each way to start them: what becomes of the runs they began."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.store import Store

Output = Callable[..., str]
Ends = dict[str | None, tuple[str, str | None]]

METHODS = ("fork", "spawn", "forkserver")
FAILED = ("failed", "RuntimeError: out of memory")
FINISHED = ("finished", None)

# So that its children are born of a program, and are killed with it if it hangs.
IN_ITS_PLACE = """
import os, sys
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""

BEGIN = """
import concurrent.futures, multiprocessing, multiprocessing.pool, sys
import stepwell

def meet(given):
    global barrier
    barrier = given

def train(name, how="return", together=True):
    global kept
    run = stepwell.init(name=name)
    run.log({"loss": 1.0}, step=0)
    if together:
        barrier.wait(100)  # each worker has a task, and none has two
    if "keep" in how:
        kept = run  # after the task, too: nothing but the worker's end can end it
    if "raise" in how:
        raise RuntimeError("out of memory")
    return name
"""

TERMINATED = f"""{BEGIN}
class Untold(multiprocessing.pool.Pool):
    # It tells no worker that nothing is left: whichever is quick would end by itself.
    def _setup_queues(self):
        super()._setup_queues()
        send = self._quick_put
        self._quick_put = lambda task: None if task is None else send(task)

    @staticmethod
    def _help_stuff_finish(*_):
        pass

def work(pool, name):
    tasks = [pool.apply_async(train, (f"{{name}}: {{how}}", how)) for how in hows]
    for task in tasks:
        task.wait(100)
    assert [task.successful() for task in tasks] == [False, True, False]

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    context.set_forkserver_preload(["stepwell"])
    hows = ["raise", "keep", "keep, raise"]
    for name in ("with", "terminate", "untold"):
        kind = Untold if name == "untold" else multiprocessing.pool.Pool
        barrier = context.Barrier(len(hows))
        pool = kind(len(hows), meet, [barrier], context=context)
        workers = list(pool._pool)
        if name == "terminate":
            work(pool, name)
            pool.terminate()
        else:
            with pool:
                work(pool, name)
        pool.join()
        codes = {{worker.exitcode for worker in workers}}
        assert codes == {{-15}} if name == "untold" else codes <= {{0, -15}}, codes
    print("over")
"""

RESULTS = f"""{BEGIN}
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    context.set_forkserver_preload(["stepwell"])
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
        for number, how in enumerate(["return", "raise", "return", "raise"]):
            name = f"executor {{number}}: {{how}}"
            error = executor.submit(train, name, how, False).exception()
            assert isinstance(error, RuntimeError if how == "raise" else type(None))
    pool = context.Pool(2, meet, [context.Barrier(2)])
    names = [("pool: return", "return"), ("pool: raise", "raise")]
    returns, raises = [pool.apply_async(train, given) for given in names]
    returns, raised = returns.get(100), raises.wait(100) or not raises.successful()
    pool.close()
    pool.join()
    print(returns, raised)
"""


@pytest.fixture(autouse=True)
def here(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_STORE", str(store_path))


def ends_of(path: Path) -> Ends:
    return {run.name: (run.status, run.exit_message) for run in Store(path).runs()}


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_that_terminates_its_idle_workers_leaves_their_runs_finished(
    store_path: Path, tmp_path: Path, output: Output, method: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(TERMINATED)

    assert output(IN_ITS_PLACE, program, method) == "over\n"
    assert ends_of(store_path) == {
        f"{name}: {how}": FINISHED
        for name in ("with", "terminate", "untold")
        for how in ("raise", "keep", "keep, raise")
    }


@pytest.mark.parametrize("method", METHODS)
def test_a_workers_result_is_what_becomes_of_its_run(
    store_path: Path, tmp_path: Path, output: Output, method: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(RESULTS)

    assert output(IN_ITS_PLACE, program, method) == "pool: return True\n"
    assert ends_of(store_path) == {
        "executor 0: return": FINISHED,
        "executor 1: raise": FAILED,
        "executor 2: return": FINISHED,
        "executor 3: raise": FAILED,
        "pool: return": FINISHED,
        "pool: raise": FINISHED,  # the pool has caught it
    }
