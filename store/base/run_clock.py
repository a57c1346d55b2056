"""The clock of a run: the time of day when it begins, then a clock that never jumps.

So the times of a run never run backwards, and say how long it took, whatever becomes of the
computer's clock meanwhile. They count the time for which the machine was suspended.
"""

import time

from .errors import StoreWarning
from .warn_caller import warn_caller

EARLIEST = -(2**62)  # in 1823; times of 64 bits, in nanoseconds, begin in 1677
LATEST = 7_258_118_400 * 10**9  # the year 2200; they end in 2262

_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)
_LEAST_SUSPENSION = 10_000_000  # nanoseconds; less lies between two looks at two clocks


class RunClock:
    """Gives the times of one run, in nanoseconds since 1970.

    Args:
        earliest: The last time that is known of the run; it does not begin before.

    Attributes:
        offset: What `time.monotonic_ns()` lacks, which is the quickest of the clocks.
    """

    __slots__ = ("_suspended", "offset")

    def __init__(self, earliest: int = 0) -> None:
        self._suspended = _suspended()
        now = _time_of_day()
        began = min(max(now, EARLIEST, earliest), LATEST)
        self.offset = began - time.monotonic_ns()
        if not EARLIEST <= now <= LATEST:
            year = "2200" if now > LATEST else "1823"
            warn_caller(
                f"the computer's clock is wrong by centuries; the run begins in {year}: set"
                " the clock",
                StoreWarning,
            )

    def now(self) -> int:
        """The time now."""
        self.settle()
        # A call of the training adds the offset itself and asks no second clock: the
        # background thread settles the offset for it.
        return time.monotonic_ns() + self.offset

    def settle(self) -> None:
        """Add the time for which the machine was suspended; the offset lacks it until then.

        By one thread at a time.
        """
        longer = _suspended() - self._suspended
        if longer >= _LEAST_SUSPENSION:
            self._suspended += longer
            self.offset += longer


def present() -> int:
    """Nanoseconds since 1970 by the computer's clock, or the nearest that can be kept."""
    return min(max(_time_of_day(), EARLIEST), LATEST)


def _time_of_day() -> int:
    try:
        return time.time_ns()
    except OverflowError:  # beyond 64 bits
        return LATEST + 1


def _suspended() -> int:
    """Nanoseconds for which this machine was suspended since it was started."""
    # Elsewhere than on Linux there is no telling: such time is then not counted.
    if _BOOTTIME is None:
        return 0
    return time.clock_gettime_ns(_BOOTTIME) - time.monotonic_ns()
