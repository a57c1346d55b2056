"""A store, two of a cluster, and one whose database was cut in the middle."""

from pathlib import Path

import stepwell


def record(name: str, store: str | None = None) -> None:
    """Record a short run."""
    with stepwell.init("demo", name, store=store) as run:
        for step in range(50):
            run.log({"train_loss": 1 / (step + 1)})
    run.finish(wait=True)


record("first")
for other in ("cluster/a.duckdb", "cluster/b.duckdb", "damaged.duckdb"):
    record(f"run of {Path(other).stem}", other)
with Path("damaged.duckdb").open("r+b") as file:
    file.truncate(Path("damaged.duckdb").stat().st_size // 2)
