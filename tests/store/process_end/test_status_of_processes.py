"""How children, pools and signals end runs: real processes, and what becomes of them."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell.store import Store

Output = Callable[..., str]
Ends = dict[str | None, tuple[str, str | None]]

INTERRUPTED = ("interrupted", "SIGTERM")

CHILDREN = """
import multiprocessing, os, sys, threading, time
import stepwell

def train(name, how):
    sys.stderr = open(os.devnull, "w")
    run = stepwell.init(name=name)
    run.log({"loss": 1.0}, step=0)
    if how == "raise":
        raise RuntimeError("out of memory")
    if how == "interrupt":
        raise KeyboardInterrupt
    if how.startswith("exit"):
        sys.exit(int(how[-1]))
    if how == "handled exit":
        try:
            raise RuntimeError("out of memory")
        except RuntimeError:
            sys.exit(1)
    if how == "thread goes on":
        def log():
            time.sleep(0.2)
            run.log({"loss": 0.5}, step=1)
        threading.Thread(target=log).start()
    if how == "thread":
        thread = threading.Thread(target=train, args=(f"{name} inner", "raise"))
        thread.start()
        thread.join()
    if how == "forks":
        if os.fork() == 0:
            return train(f"{name} grandchild", "raise")
        os.wait()

if __name__ == "__main__":
    multiprocessing.set_forkserver_preload(["stepwell"])
    hows = ["return", "raise", "interrupt", "exit 0", "exit 3", "handled exit",
            "thread goes on", "thread", "forks"]
    few = ["return", "raise"]
    made = [
        multiprocessing.get_context(method).Process(
            target=train, args=(f"{method}: {how}", how)
        )
        for method, some in (("fork", hows), ("forkserver", few), ("spawn", few))
        for how in some
    ]
    try:  # a child that is forked here is born with an exception that is not its own
        raise OSError("the parent's")
    except OSError:
        outer = multiprocessing.get_context("fork").Process(
            target=train, args=("fork: in a handler", "return")
        )
        outer.start()
    for child in made:
        child.start()
    for child in [*made, outer]:
        child.join()
"""

FORK = {
    "fork: return": ("finished", None),
    "fork: raise": ("failed", "RuntimeError: out of memory"),
    "fork: interrupt": ("interrupted", "KeyboardInterrupt"),
    "fork: exit 0": ("finished", None),
    "fork: exit 3": ("failed", "SystemExit: 3"),
    "fork: handled exit": ("failed", "RuntimeError: out of memory"),
    "fork: thread goes on": ("finished", None),
    "fork: thread": ("finished", None),
    "fork: thread inner": ("failed", "RuntimeError: out of memory"),
    "fork: forks": ("finished", None),
    "fork: forks grandchild": ("failed", "RuntimeError: out of memory"),
    "fork: in a handler": ("finished", None),
}
OTHERS = {
    f"{method}: {how}": FORK[f"fork: {how}"]
    for method in ("forkserver", "spawn")
    for how in ("return", "raise")
}

POOLS = """
import concurrent.futures, multiprocessing, os, sys, time
import stepwell

def train(name, how):
    run = stepwell.init(name=name)
    run.log({"loss": 1.0}, step=0)
    if how == "raise":
        raise RuntimeError("out of memory")
    if how == "held":
        return stepwell.start_run(name=name + " inner").finish("interrupted")
    if how == "wait":
        open(name, "w").close()
        time.sleep(60)
    return name

if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=fork) as executor:
        for how in ("raise", "return", "held", "raise"):
            task = executor.submit(train, f"executor: {how}", how)
            assert isinstance(task.exception(), RuntimeError | None)
    with fork.Pool(2) as pool:
        results = [
            pool.apply_async(train, (f"pool: {how}", how))
            for how in ("return", "raise")
        ]
        for result in results:
            result.wait()
        pool.close()
        pool.join()  # else a worker may be terminated before it has let go of its run
    with fork.Pool(1) as pool:
        pool.apply_async(train, ("pool: busy", "wait"))
        while not os.path.exists("pool: busy"):
            time.sleep(0.01)
    pool = fork.Pool(1)
    pool.apply_async(train, ("pool: closed", "return"))
    pool.close()
    pool.join()
"""

# Each in a process that is forked from one, and ended while its main thread waits.
SIGNALS = """
import asyncio, os, queue, signal, sys, threading, time
import stepwell

hows = ["main", "join", "sleep", "event", "queue", "asyncio", "works", "own handler",
        "ended", "ignored"]
for how in hows:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        break
    os.read(read, 1)
    time.sleep(0.05)  # it is in the midst of something
    os.kill(child, signal.SIGTERM)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(f"{how}={code}", flush=True)
else:
    os._exit(0)

def begin():
    run = stepwell.init(name=how)
    run.log({"loss": 1.0})
    if how == "ended":
        run.finish()
        time.sleep(0.1)
    if how == "ignored":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(write, b"x")
        time.sleep(0.3)
        os._exit(0)
    while how != "ended" and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        time.sleep(0.01)  # the main thread minds it soon
    os.write(write, b"x")
    if how != "ended":
        for number in range(10_000):
            run.log({"loss": 1.0})
            time.sleep(0.001)

if how == "own handler":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(5))
if how in ("main", "ignored"):
    begin()
thread = threading.Thread(target=begin, daemon=True)
thread.start()
if how == "join":
    thread.join()
elif how in ("sleep", "ended", "own handler"):
    time.sleep(30)
elif how == "event":
    threading.Event().wait(30)
elif how == "queue":
    queue.Queue().get()
elif how == "asyncio":
    asyncio.run(asyncio.sleep(30))
while True:
    sum(range(1000))
"""

# As the first process of a container: signals do not end it by themselves.
FIRST = """
import os, signal, sys, threading, time
import stepwell

def log():
    run = stepwell.init(name=how)
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        time.sleep(0.01)  # the main thread minds it soon
    for step in range(100):
        if step == 50:
            os.system("kill -TERM %d" % os.getpid())
            if how == "thread":
                time.sleep(60)  # until the main thread has ended the process
        run.log({"a": step}, step=step)
    run.finish()

how = sys.argv[1]
if how == "handled":
    signal.signal(signal.SIGTERM, lambda *_: print("told", flush=True))
if how == "thread":
    thread = threading.Thread(target=log)
    thread.start()
    thread.join()
else:
    log()
print("recorded", flush=True)
"""


def run_program(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    program = folder / "program.py"
    program.write_text(code)
    return subprocess.run(
        [sys.executable, program], cwd=folder, capture_output=True, text=True, check=False
    )


def ends_of(path: Path) -> Ends:
    return {run.name: (run.status, run.exit_message) for run in Store(path).runs()}


@pytest.fixture(autouse=True)
def here(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_STORE", str(store_path))


def test_children_of_multiprocessing(store_path: Path, tmp_path: Path) -> None:
    done = run_program(tmp_path, CHILDREN)

    assert done.returncode == 0, done.stderr
    ends = ends_of(store_path)
    assert {name: ends.get(name) for name in FORK} == FORK
    assert {name: ends.get(name) for name in OTHERS} == OTHERS
    assert len(ends) == len(FORK) + len(OTHERS)
    logged = Store(store_path).summary("fork: thread goes on")["loss"]
    assert (logged.count, logged.current) == (2, 0.5)


def test_workers_of_pools(store_path: Path, tmp_path: Path) -> None:
    done = run_program(tmp_path, POOLS)

    assert (done.returncode, done.stderr) == (0, "")
    failed = ("failed", "RuntimeError: out of memory")
    runs = [(run.name, run.status) for run in reversed(Store(store_path).runs())]
    assert [status for name, status in runs if name == "executor: raise"] == ["failed"] * 2
    assert ends_of(store_path) == {
        "executor: raise": failed,
        "executor: return": ("finished", None),
        "executor: held": ("finished", None),
        "executor: held inner": ("interrupted", None),
        "pool: return": ("finished", None),
        "pool: raise": ("finished", None),  # the pool has caught it
        "pool: busy": INTERRUPTED,
        "pool: closed": ("finished", None),
    }


def test_a_signal_to_end(store_path: Path, tmp_path: Path) -> None:
    done = run_program(tmp_path, SIGNALS)

    assert done.stderr == ""
    told = ["main", "join", "sleep", "event", "queue", "asyncio", "works"]
    others = ["own handler=5", "ended=-15", "ignored=0"]
    assert done.stdout.split("\n")[:-1] == [*(f"{how}=-15" for how in told), *others]
    ends = ends_of(store_path)
    assert {how: ends[how] for how in told} == dict.fromkeys(
        told, ("interrupted", "SIGTERM")
    )
    assert ends["ended"] == ("finished", None)
    assert {ends["own handler"][0], ends["ignored"][0]} == {"crashed"}


@pytest.mark.parametrize(
    ("how", "code", "said", "end"),
    [
        ("main", 143, "", INTERRUPTED),
        ("thread", 143, "", INTERRUPTED),
        ("handled", 0, "told\nrecorded\n", ("finished", None)),
    ],
)
def test_the_first_process_of_a_container(
    store_path: Path, how: str, code: int, said: str, end: tuple[str, str | None]
) -> None:
    unshare = [shutil.which("unshare") or "unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*unshare, "true"], check=False).returncode:
        pytest.skip("no right to make a process namespace")
    command = [*unshare, sys.executable, "-c", FIRST, how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (code, said), done.stderr
    assert ends_of(store_path) == {how: end}
    count = Store(store_path).summary(how)["a"].count
    assert count == 100 if how == "handled" else count >= 50
