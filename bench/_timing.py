"""What the programs share: fresh processes, repetitions, memory, and one table."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and what was measured for it.

    Attributes:
        name: What was measured.
        values: A figure a repetition.
        unit: The figures' unit.
        most: The median may be no more than this.
        least: The median may be no less than this.
    """

    name: str
    values: list[float]
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def target(self) -> str:
        """The limit as text; empty for a figure that only informs."""
        if self.most is not None:
            return f"≤ {self.most:g} {self.unit}".rstrip()
        return f"≥ {self.least:g} {self.unit}".rstrip() if self.least is not None else ""

    @property
    def verdict(self) -> str:
        """Whether the median is within the limit; empty without one."""
        middle = statistics.median(self.values)
        if self.most is not None:
            return "met" if middle <= self.most else "MISSED"
        if self.least is not None:
            return "met" if middle >= self.least else "MISSED"
        return ""

    @property
    def figure(self) -> str:
        """Median, and least and greatest of several."""
        middle = _short(statistics.median(self.values))
        if len(self.values) == 1:
            return f"{middle} {self.unit}".rstrip()
        low, high = _short(min(self.values)), _short(max(self.values))
        return f"{middle} ({low}-{high}) {self.unit}".rstrip()


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004


def table(claims: list[Claim]) -> str:
    """The claims, one a line."""
    head = ("claim", "target", "median (min-max)", "")
    rows = [head, *((c.name, c.target, c.figure, c.verdict) for c in claims)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    return "\n".join(
        "  ".join(
            text.ljust(width) for text, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def main(measure: Callable[[int], list[Claim]], repetitions: int = 5) -> None:
    """Run a program from the command line and print what it found.

    Args:
        measure: Gives the claims; called with the number of repetitions.
        repetitions: How many, unless `--repeat` says otherwise.
    """
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--repeat", type=int, default=repetitions, metavar="N")
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    options = parser.parse_args()
    claims = measure(options.repeat)
    if options.json:
        print(json.dumps([asdict(claim) for claim in claims]))
    else:
        print(table(claims))


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="stepwell-bench-") as path:
        yield Path(path)


@contextmanager
def compiled() -> Iterator[None]:
    """Let processes keep what they compile, as an installation does, whatever is set.

    The first one of a kind compiles; measure those after it.
    """
    before = dict(os.environ)
    with folder() as path:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(path)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def fresh(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a program's function in a fresh process; arguments and result are JSON."""
    module = Path(str(sys.modules[function.__module__].__file__)).stem
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]);"
        f" from {module} import {function.__name__} as function;"
        " print('\\n' + json.dumps(function(*json.loads(sys.argv[2]))))"
    )
    given = json.dumps(arguments, default=os.fspath)
    command = [sys.executable, "-c", code, str(HERE), given]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def in_turn(
    repetitions: int, first: Callable[[], float], second: Callable[[], float]
) -> list[tuple[float, float]]:
    """Measure two things in turn, so that a busy machine slows both alike."""
    return [(first(), second()) for _ in range(repetitions)]


def milliseconds(question: Callable[[], object], rounds: int = 7) -> float:
    """What a question takes: the median of *rounds*, after one that does not count."""
    question()
    spent = []
    for _ in range(rounds):
        begin = time.perf_counter()
        question()
        spent.append(1000 * (time.perf_counter() - begin))
    return statistics.median(spent)


def memory(pid: int | str = "self") -> dict[str, float]:
    """Resident memory of a process in MB: now, and the most it ever was."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return {
        name: int(fields[field].split()[0]) / 1024
        for name, field in (("now", "VmRSS"), ("peak", "VmHWM"))
    }


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children() -> list[int]:
    """Process ids of this process's children."""
    lists = Path("/proc/self/task").glob("*/children")  # a list a thread
    return [int(pid) for listed in lists for pid in listed.read_text().split()]
