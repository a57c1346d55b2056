"""How much of a loop's time drawing may take."""

import time
from collections.abc import Callable


class Budget:
    """Lets a frame be drawn when the loop has run long enough since the last one.

    Args:
        share: Share of the time that drawing may take, above 0.0, at most 1.0.
        clock: Gives seconds; `time.perf_counter`.
    """

    def __init__(
        self, share: float, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        # With a share of 0.02, a frame of 20 ms lets the loop run for 980 ms.
        self._pause_factor = 1.0 / share - 1.0
        self._clock = clock
        self._began = 0.0
        self._next = -1e9

    @property
    def is_earned(self) -> bool:
        """Whether there is time for a frame now."""
        return self._clock() >= self._next

    def begin(self) -> None:
        """A frame begins."""
        self._began = self._clock()

    def end(self) -> None:
        """The frame is done; the next one waits in proportion to its cost."""
        now = self._clock()
        self._next = now + (now - self._began) * self._pause_factor
