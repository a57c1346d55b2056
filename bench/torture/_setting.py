"""What all processes of one torture know."""

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

_VARIABLES = (
    "TORTURE_BASE",
    "TORTURE_SEED",
    "TORTURE_UNTIL",
    "TORTURE_PLANT",
    "TORTURE_NOISE",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One torture.

    Attributes:
        base: Its folder: stores, ledgers, counts.
        seed: What its plan is drawn from.
        until: When it ends, by `time.monotonic`, which all processes share.
        plant: Name of the bug that is planted; empty without one.
        noise: Seconds that a wait is measured too long, on a busy machine.
    """

    base: Path
    seed: int
    until: float
    plant: str = ""
    noise: float = 0.3

    @property
    def store(self) -> Path:
        """The store that nearly everything happens to."""
        return self.base / "main" / "runs.duckdb"

    @property
    def quiet_store(self) -> Path:
        """A small store that few write to: each turn at it is short, so there are many."""
        return self.base / "quiet" / "runs.duckdb"

    @property
    def full_store(self) -> Path:
        """The store on a small disk of its own."""
        return self.base / "small" / "runs.duckdb"

    @property
    def ledgers(self) -> Path:
        """Where the ledgers are, a file a stream of calls."""
        return self.base / "ledgers"

    @property
    def excuses(self) -> Path:
        """What damage may have cost: lines of a stream and its first call in danger."""
        return self.base / "excuses"

    @property
    def strangers(self) -> Path:
        """Paths of what lies in the journals' folders and is no journal of a ledger."""
        return self.base / "strangers"

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self.until

    def draw(self, *names: object) -> random.Random:
        """Random numbers that the seed and *names* decide."""
        return random.Random(f"{self.seed} {names}")

    def count(self, what: str, times: int = 1) -> None:
        """Note that something was done."""
        self._append("counts", f"{what} {times}")

    def complain(self, trouble: str) -> None:
        """Note what must not happen."""
        self._append("problems", trouble)

    def note_death(self, pid: int) -> None:
        """Note that a process is about to kill itself."""
        self._append("deaths", str(pid))

    def killed_itself(self, pid: int) -> bool:
        """Whether it did."""
        deaths = self.base / "deaths"
        return deaths.exists() and str(pid) in deaths.read_text().split()

    def _append(self, name: str, text: str) -> None:
        line = " ".join(text.split()) + "\n"
        flags = os.O_APPEND | os.O_CREAT | os.O_WRONLY
        file = os.open(self.base / name, flags, 0o644)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)

    def environment(self) -> dict[str, str]:
        """What tells a child process of it."""
        values = (self.base, self.seed, self.until, self.plant, self.noise)
        return dict(zip(_VARIABLES, map(str, values), strict=True))


def of_environment() -> Setting:
    """The torture that this process is part of."""
    base, seed, until, plant, noise = (os.environ[name] for name in _VARIABLES)
    return Setting(Path(base), int(seed), float(until), plant, float(noise))
