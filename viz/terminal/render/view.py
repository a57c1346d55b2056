"""What a terminal view shows of one run at one moment: plain values, ready to draw."""

from dataclasses import dataclass

from stepwell.viz.base.progress import NOT_BEGUN, Progress

NOTHING = float("nan")


@dataclass(frozen=True, slots=True)
class Trail:
    """The course of a metric, in buckets of equal width in step.

    Attributes:
        first_step: Where the first bucket begins.
        last_step: The last step in it.
        width: Steps in a bucket.
        means: Mean of each bucket; NaN where it has no finite point.
        lows: Least value of each bucket; NaN as above.
        highs: Greatest value of each bucket; NaN as above.
        broken: Buckets that hold a NaN or infinite point.
    """

    first_step: int = 0
    last_step: int = 0
    width: int = 1
    means: tuple[float, ...] = ()
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()
    broken: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric in the table.

    Attributes:
        name: The metric.
        last: Its newest value.
        best: Its best finite value; None where the name doesn't tell what is better.
        best_step: Where that was.
        change: Change since the table before, as a share of the value then; None where
            there is none to compare with.
        better: "min", "max" or None.
        trail: Its course.
    """

    name: str
    last: float
    best: float | None = None
    best_step: int | None = None
    change: float | None = None
    better: str | None = None
    trail: Trail = Trail()


@dataclass(frozen=True, slots=True)
class ExpertLoad:
    """How the load is spread over experts, where 1.0 is an even share.

    Attributes:
        labels: Name of each expert.
        shares: Share of each expert.
        entropy: Entropy of the shares in bits.
        most_entropy: The entropy of an even load, in bits.
        dead: Places of the experts that get nothing, or next to nothing.
    """

    labels: tuple[str, ...]
    shares: tuple[float, ...]
    entropy: float
    most_entropy: float
    dead: tuple[int, ...] = ()

    @property
    def balance(self) -> float:
        """Entropy as a share of that of an even load, 0.0 to 1.0."""
        return self.entropy / self.most_entropy if self.most_entropy else 1.0

    @property
    def most_used(self) -> int:
        """Place of the expert with the greatest share."""
        return max(range(len(self.shares)), key=self.shares.__getitem__)

    @property
    def least_used(self) -> int:
        """Place of the expert with the least share."""
        return min(range(len(self.shares)), key=self.shares.__getitem__)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person should see.

    Attributes:
        text: What it is.
        is_severe: Whether it spoils the run.
    """

    text: str
    is_severe: bool = True


@dataclass(frozen=True, slots=True)
class SystemItem:
    """One thing measured of the machine.

    Attributes:
        label: What it is, such as "cpu".
        text: Its value, with the unit.
        load: How much of it is used, 0.0 to 1.0, where that makes sense.
    """

    label: str
    text: str
    load: float | None = None


@dataclass(frozen=True, slots=True)
class TerminalView:
    """All that a terminal view shows of one run.

    Attributes:
        title: What the run is called.
        run_name: The run's name.
        run_id: The run's id.
        status: `running`, `finished`, `failed`, `interrupted` or `crashed`.
        progress: How far and how fast it is.
        rows: The metrics; None for no table.
        newest: Names and newest values of the first metrics, for a single line.
        table_note: When the table was made.
        experts: The load of the experts, if there are any.
        chart: The metric whose course is drawn, if any.
        system: Measurements of the machine, or facts of the run.
        alarms: What a person should see.
        system_title: What they are.
        has_bar: Whether a progress bar is wanted.
        has_throughput: Whether steps, samples and tokens a second are wanted.
    """

    title: str
    run_name: str
    run_id: str
    status: str = "running"
    progress: Progress = NOT_BEGUN
    rows: tuple[MetricRow, ...] | None = ()
    newest: tuple[tuple[str, float], ...] = ()
    table_note: str = ""
    experts: ExpertLoad | None = None
    chart: MetricRow | None = None
    system: tuple[SystemItem, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    system_title: str = "system"
    has_bar: bool = True
    has_throughput: bool = True
