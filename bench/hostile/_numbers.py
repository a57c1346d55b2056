"""Numbers that nobody expects: values, steps and times at the ends of their ranges."""

import math
import random
import struct
import sys
from collections.abc import Callable, Iterator

STEP_MIN, STEP_MAX = -(2**63), 2**63 - 1
_MAX, _TINY, _DENORMAL = sys.float_info.max, sys.float_info.min, 5e-324
_BEGIN = 1_750_000_000 * 10**9  # nanoseconds: some day
_ODD = (math.nan, math.inf, -math.inf, 0.0, -0.0, _MAX, -_MAX, _TINY, -_TINY, _DENORMAL)


def _of_any_bits(draw: random.Random) -> float:
    bits = draw.getrandbits(64).to_bytes(8, "little")
    return float(struct.unpack("<d", bits)[0])


def _near_the_largest(draw: random.Random) -> float:
    return draw.choice((1, -1)) * _MAX * draw.choice((1.0, 0.999, 0.5, draw.random()))


def _growing(draw: random.Random) -> float:
    return draw.choice((1, -1)) * 10.0 ** draw.uniform(300, 308)


def _denormal(draw: random.Random) -> float:
    return draw.choice((1, -1)) * _DENORMAL * draw.randint(0, 2**20)


def _whole(draw: random.Random) -> float:
    return float(draw.choice((2**53, 2**53 + 2, -(2**63), 2**64, draw.randrange(100))))


def _cancelling(draw: random.Random) -> float:
    return draw.choice((1e16, -1e16, 1.0, 1e-16, 1e308, -1e308))


_VALUES: tuple[Callable[[random.Random], float], ...] = (
    lambda draw: draw.gauss(0.0, 1.0),
    lambda draw: draw.choice(_ODD),
    lambda draw: draw.choice((math.nan, math.inf, -math.inf)),
    lambda draw: draw.choice((1e308, _MAX)),
    lambda draw: draw.choice((0.0, -0.0)),
    _of_any_bits,
    _near_the_largest,
    _growing,
    _denormal,
    _whole,
    _cancelling,
)


def value_maker(draw: random.Random) -> Callable[[], float]:
    """What a metric's values are drawn from: one kind, or a mixture."""
    kinds = draw.sample(_VALUES, draw.choice((1, 1, 2, 3)))
    return lambda: draw.choice(kinds)(draw)


def steps_of(draw: random.Random) -> Iterator[int]:
    """Steps without end, each within 64 bits."""
    kind = draw.randrange(8)
    begin = draw.choice((0, 0, 1, -5, 10**6, STEP_MIN, STEP_MAX - 3, 2**53, -(2**31)))
    width = draw.choice((1, 1, 1, 10, 2**40))
    number = 0
    while True:
        if kind <= 2:  # noqa: PLR2004 (three of eight)
            step = begin + number * width
        elif kind == 3:  # noqa: PLR2004
            step = begin - number * width
        elif kind == 4:  # noqa: PLR2004
            step = begin
        elif kind == 5:  # noqa: PLR2004
            step = draw.choice((STEP_MIN, STEP_MAX, 0, -1, STEP_MIN + 1, STEP_MAX - 1))
        elif kind == 6:  # noqa: PLR2004
            step = begin + draw.randint(-3, 3)
        else:
            step = draw.randint(STEP_MIN, STEP_MAX)
        yield max(STEP_MIN, min(STEP_MAX, step))
        number += 1


def times_of(draw: random.Random) -> Iterator[int]:
    """Nanoseconds since 1970 without end: mostly going on, some not."""
    kind = draw.randrange(10)
    now = _BEGIN + draw.randrange(10**15)
    while True:
        if kind == 0:
            now = draw.randint(STEP_MIN, STEP_MAX)
        elif kind == 1:
            now = draw.choice((0, -1, 1, 999, STEP_MIN, STEP_MAX, _BEGIN))
        elif kind == 2:  # noqa: PLR2004 (a clock that jumps)
            now += draw.randint(-(10**12), 10**12)
        else:
            now += draw.choice((300, 1500, 10**6, 10**9))
        now = max(STEP_MIN, min(STEP_MAX, now))
        yield now


def time_of(draw: random.Random) -> int:
    """One time."""
    return next(times_of(draw))
