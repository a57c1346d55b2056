"""The workloads: what is asked of a tool, and in how many processes."""

import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _environments import import_milliseconds
from _processes import PartError, Session
from _writing import COUNTER, POINTS_A_CALL


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes:
        calls: Calls of the first workload, at most.
        million: Points of the one large run, at most.
        runs: Runs of the sweep, at most.
        steps: Steps of each, at most.
        writers: Writers at once.
        writer_calls: Calls of each, at most.
        loop_steps: Steps of the slow loop.
        burst_seconds: How long a burst goes on before it is killed.
        write_seconds: A writing process stops after so many, and says how far it came.
        part_seconds: A process that takes longer is ended.
        lengths: Points a line of the live frames.
        frames: Frames of each.
    """

    calls: int = 20_000
    million: int = 1_000_000
    runs: int = 200
    steps: int = 500
    writers: int = 8
    writer_calls: int = 2_000
    loop_steps: int = 1_500
    burst_seconds: float = 1.0
    write_seconds: float = 12.0
    part_seconds: float = 40.0
    lengths: tuple[int, ...] = (1_000, 100_000, 1_000_000)
    frames: int = 20


TINY = Sizes(
    calls=200,
    million=2_000,
    runs=3,
    steps=10,
    writers=2,
    writer_calls=50,
    loop_steps=20,
    burst_seconds=0.2,
    write_seconds=5.0,
    lengths=(100,),
    frames=2,
)


def start(session: Session, sizes: Sizes) -> dict[str, Any]:
    """Import time and installed size."""
    found = {
        "packages": session.environment.packages,
        "megabytes": session.environment.megabytes,
    }
    try:
        spent = import_milliseconds(session.environment, session.tool.module)
    except subprocess.CalledProcessError as error:
        raise PartError((error.stderr.strip().splitlines() or ["no words"])[-1]) from error
    return found | {"import_ms": spent}


def call(session: Session, sizes: Sizes) -> dict[str, Any]:
    """What a call of ten metrics costs, and how long until all of it is in the store."""
    found = session.call(
        "write", most=_most(session, sizes.calls), seconds=sizes.write_seconds
    )
    return found | _stored(session, found["calls"])


def loop(session: Session, sizes: Sizes) -> dict[str, Any]:
    """How much a loop of 1 ms steps slows down."""
    return session.call("loop", most=sizes.loop_steps, seconds=sizes.write_seconds / 3)


def million(session: Session, sizes: Sizes) -> dict[str, Any]:
    """One run of a million points: disk, memory, and two questions."""
    found = session.watched(
        "write",
        most=_most(session, sizes.million // POINTS_A_CALL),
        seconds=sizes.write_seconds,
    )
    points = POINTS_A_CALL * found["calls"]
    found |= {"written_points": points, "bytes_a_point": session.bytes_on_disk() / points}
    found |= _settled(session) | _part(session, "read") | _part(session, "summary")
    return found | {"is_whole": points >= sizes.million}


def sweep(session: Session, sizes: Sizes) -> dict[str, Any]:
    """Many runs: written, ranked, and one metric of all read."""
    found = session.call(
        "sweep", runs=sizes.runs, steps=sizes.steps, seconds=2 * sizes.write_seconds
    )
    found |= {"is_whole": (found["runs"], found["steps"]) == (sizes.runs, sizes.steps)}
    found |= _settled(session)
    return found | _part(session, "leaderboard") | _part(session, "every")


def writers(session: Session, sizes: Sizes) -> dict[str, Any]:
    """Several processes write runs of their own into one store at once."""
    session.call("prepare")
    go = session.folder / "go"
    most = _most(session, sizes.writers * sizes.writer_calls) // sizes.writers
    given = {"most": most, "seconds": sizes.write_seconds, "go": go}
    running = [session.start("writer", number=n, **given) for n in range(sizes.writers)]
    time.sleep(_longest_start(session))
    begin = time.monotonic()
    go.touch()
    acknowledged: dict[str, int] = {}
    errors = []
    for number, one in enumerate(running):
        one.deadline = begin + sizes.part_seconds
        try:
            acknowledged[f"writer{number}"] = one.figures()["calls"]
        except PartError as error:
            errors.append(str(error))
    seconds = time.monotonic() - begin
    _settled(session)
    stored = session.call("read_each", runs=list(acknowledged))["found"]
    counts = {run: n if isinstance(n, int) else 0 for run, n in stored.items()}
    total = sum(acknowledged.values())
    return {
        "seconds": seconds,
        "calls": total,
        "rate": POINTS_A_CALL * total / seconds,
        "failed": len(errors),
        "words": [*errors, *(n for n in stored.values() if isinstance(n, str))][:1],
        "lost": sum(max(0, n - counts[run]) for run, n in acknowledged.items()),
        "extra": sum(max(0, counts[run] - n) for run, n in acknowledged.items()),
        "is_whole": total == sizes.writers * sizes.writer_calls,
    }


def kill(session: Session, sizes: Sizes) -> dict[str, Any]:
    """SIGKILL in the middle of a burst: what had been acknowledged, and what is there."""
    ledger = session.folder / "ledger"
    ledger.write_bytes(COUNTER.pack(0))
    running = session.start("burst", ledger=ledger)
    while _counted(ledger) == 0:
        if running.process.poll() is not None or time.monotonic() > running.deadline:
            running.figures()  # raises: with its words, or the time limit
        time.sleep(0.005)
    time.sleep(sizes.burst_seconds * random.uniform(0.9, 1.1))
    running.kill()
    acknowledged = _counted(ledger)
    ledger.unlink()
    time.sleep(2.0)  # a process that writes for it may still do so
    found: dict[str, Any] = {
        "acknowledged": acknowledged,
        "orphans": len(session.processes()),
    }
    found |= _settled(session) | _part(session, "read")
    kept = found.get("distinct", 0)
    twice = found.get("points", 0) - kept
    return (
        found
        | _part(session, "state")
        | {
            "kept": kept,
            "lost": max(0, acknowledged - kept),
            "twice": twice,
            "invented": max(0, found.get("last", -1) - acknowledged),
        }
    )


def odd(session: Session, sizes: Sizes) -> dict[str, Any]:
    """NaN, infinities, the largest and smallest, no value, and steps that go back."""
    found = session.call("odd") | _settled(session)
    return found | session.call("odd_back")


def frame(session: Session, sizes: Sizes) -> dict[str, Any]:
    """A live frame of two lines."""
    found: dict[str, Any] = {}
    for length in sizes.lengths:
        given = {"length": length, "count": sizes.frames, "new_steps": 50, "seconds": 8.0}
        try:
            found[f"frame_{length}"] = session.call("frames", **given)["frame_ms"]
        except PartError as error:
            found[f"frame_{length}_words"] = str(error)
    return found


WORKLOADS: dict[str, Callable[[Session, Sizes], dict[str, Any]]] = {
    one.__name__: one
    for one in (start, call, loop, million, sweep, writers, kill, odd, frame)
}


def fits(name: str, is_drawing: bool, tool: str) -> bool:
    """Whether a workload is asked of a tool: only some draw live plots."""
    if name == "frame":
        return is_drawing or tool == "stepwell"
    return not is_drawing or (name == "start" and tool != "plain_matplotlib")


def _part(session: Session, part: str, **given: Any) -> dict[str, Any]:
    try:
        return session.call(part, **given)
    except PartError as error:
        return {f"{part}_words": str(error)}


def _most(session: Session, calls: int) -> int:
    return min(calls, session.tool.most_calls or calls)


def _settled(session: Session) -> dict[str, Any]:
    return _part(session, "settle") if session.tool.settles else {}


def _stored(session: Session, calls: int) -> dict[str, Any]:
    found = _settled(session) | _part(session, "read")
    return found | {"lost": calls - found["points"]} if "points" in found else found


def _counted(ledger: Path) -> int:
    return int(COUNTER.unpack(ledger.read_bytes())[0])


def _longest_start(session: Session) -> float:
    """Seconds that a process of the tool takes until it has imported all."""
    begin = time.monotonic()
    session.call("nothing")
    return 2.0 + 4 * (time.monotonic() - begin)
