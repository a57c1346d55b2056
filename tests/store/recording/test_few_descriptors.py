"""Where no descriptor is left, or the interpreter is another: one error, or a whole run."""

from collections.abc import Callable
from textwrap import dedent

import pytest

Output = Callable[..., str]

FILL = """
import os, resource, sys, time
import stepwell

stepwell.init, stepwell.Run
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass

def free(number):
    for _ in range(number):
        os.close(held.pop())
"""


def test_without_a_descriptor_init_says_so_and_writes_nothing(output: Output) -> None:
    code = """
        try:
            stepwell.init(store="s.duckdb")
        except stepwell.StepwellError as error:
            print(error)
        free(1)
        with stepwell.init(store="s.duckdb", name="next") as run:
            run.log({"loss": 1.0})
            free(len(held))
            from stepwell.store.journal.writer_alive import machine
            print(run._writer.header.machine == machine())
        (found,) = stepwell.open_store("s.duckdb").runs()
        print(found.name, found.status)
    """
    said, is_known, found = output(FILL + dedent(code)).splitlines()
    assert "Too many open files; close files, finish runs" in said
    assert is_known == "True"  # what was not to be read then is not taken for the truth
    assert found == "next finished"


@pytest.mark.parametrize("left", [1, 2, 3])
def test_with_few_descriptors_a_run_is_recorded_whole(left: int, output: Output) -> None:
    code = """
        import threading, warnings
        warnings.simplefilter("ignore")
        free(int(sys.argv[1]))
        run = stepwell.init(store="s.duckdb")
        run.log({"loss": 1.0})
        time.sleep(1.2)  # the background thread looks for a helper, which can't be started
        print("stepwell-keeper" in {thread.name for thread in threading.enumerate()})
        run.log({"loss": 2.0})
        free(len(held))
        run.finish()
        store = stepwell.open_store("s.duckdb")
        print(store.run("last").status, store.series("last", "loss").values.tolist())
    """
    assert output(FILL + dedent(code), left).splitlines() == [
        "True",
        "finished [1.0, 2.0]",
    ]


@pytest.mark.parametrize(
    "before", ["", "stepwell.init(store='s.duckdb').finish(wait=True)"]
)
@pytest.mark.parametrize("call", ["stepwell.init()", "stepwell.start_run(name='x')"])
def test_a_sub_interpreter_is_refused_before_anything_is_written(
    call: str, before: str, output: Output
) -> None:
    code = f"""
import glob, os
import stepwell
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
os.environ["STEPWELL_STORE"] = "s.duckdb"
{before}
print(glob.glob("*.journal/*.journal"), flush=True)
program = '''
import stepwell
try:
    {call}
except stepwell.StepwellError as error:
    print(error, flush=True)
'''
run = getattr(interpreters, "exec", None) or interpreters.run_string
run(interpreters.create(), program)
print(glob.glob("*.journal/*.journal"))
with stepwell.init(name="whole") as again:
    again.log({{"loss": 1.0}})
print(again.store().run("whole").status)
    """
    none, said, still_none, status = output(code).splitlines()
    assert none == still_none == "[]"
    assert said.startswith("a run can't be recorded in a sub-interpreter; start a process")
    assert status == "finished"
