"""The tools: what is installed for each, and what each can be asked."""

from dataclasses import dataclass
from pathlib import Path

ADAPTERS = Path(__file__).parent / "adapters"


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool.

    Attributes:
        name: Its name on the command line, and of its environment and adapter.
        title: Its name in the tables.
        packages: What pip installs, by name; empty for Stepwell, installed from here.
        module: What a program imports.
        setting: How it is used here, in a few words.
        environment: The environment of another tool, where it has none of its own.
        draws_only: It only draws live plots, and keeps nothing.
        most_calls: It takes calls so much faster than it writes them that it gets no more
            than so many; 0 for no limit.
        settles: Its runs can be read only after a step of their own, which is not timed.
    """

    name: str
    title: str
    packages: tuple[str, ...]
    module: str
    setting: str
    environment: str = ""
    draws_only: bool = False
    most_calls: int = 0
    settles: bool = False

    @property
    def adapter(self) -> Path:
        """The file that knows how it is used."""
        return ADAPTERS / f"{self.name}.py"


TOOLS = (
    Tool("stepwell", "Stepwell", (), "stepwell", "one DuckDB file; as it comes"),
    Tool("trackio", "Trackio", ("trackio",), "trackio", "local SQLite; no system metrics"),
    Tool("wandb", "W&B", ("wandb",), "wandb", "offline; no system metrics, no console"),
    Tool("mlflow", "MLflow", ("mlflow",), "mlflow", "SQLite, in the process, synchronous"),
    Tool(
        "aim",
        "Aim",
        ("aim",),
        "aim",
        "local; no system metrics, no console",
        settles=True,
    ),
    Tool(
        "tensorboardx",
        "tensorboardX",
        ("tensorboardX", "tensorboard"),
        "tensorboardX",
        "event files; read by tensorboard",
    ),
    Tool(
        "swanlab",
        "SwanLab",
        ("swanlab[dashboard]",),
        "swanlab",
        "local, with its board; 500 calls at most",
        most_calls=500,
    ),
    Tool("pandm", "pandm", ("pandm",), "pandm", "local SQLite"),
    Tool("goodseed", "GoodSeed", ("goodseed",), "goodseed", "local SQLite; no console"),
    Tool(
        "kohakuboard",
        "KohakuBoard",
        ("kohakuboard",),
        "kohakuboard.client",
        "local; no console; 20,000 calls at most",
        most_calls=20_000,
    ),
    Tool(
        "livelossplot",
        "livelossplot",
        ("livelossplot",),
        "livelossplot",
        "live plots only",
        draws_only=True,
    ),
    Tool(
        "plain_matplotlib",
        "matplotlib alone",
        (),
        "matplotlib",
        "clear, plot all, draw; live plots only",
        environment="stepwell",
        draws_only=True,
    ),
)
