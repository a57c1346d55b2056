"""Train the network of `digits.py` 27 times, side by side, into one store.

    python examples/sweep.py
    python examples/sweep.py --jobs 4 --epochs 30 --store sweep.duckdb

Three learning rates, three batch sizes, three seeds. What the runs have in common is their
project; those that differ in their seed alone are one group. Each process records on its
own and waits for no other; `stepwell watch` follows them meanwhile.
"""

import argparse
import io
import multiprocessing
import os
import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from digits import Settings, train

import stepwell
from m.training_viz import create_custom_visualizer

PROJECT = "digits-sweep"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run."""

    name: str
    location: Path
    validation_accuracy: float


def settings_of_sweep(
    learning_rates: Sequence[float],
    batch_sizes: Sequence[int],
    seeds: Sequence[int],
    epochs: int,
) -> Iterator[Settings]:
    """Every combination, the seeds outermost: a sweep that is cut short has them all."""
    for seed, rate, size in product(seeds, learning_rates, batch_sizes):
        yield Settings(learning_rate=rate, batch_size=size, seed=seed, epochs=epochs)


def train_one(settings: Settings, store: Path | None) -> Outcome:
    """Train one network, as a run of its own."""
    rate, size = settings.learning_rate, settings.batch_size
    group = f"lr_{rate:g}_bs_{size}"
    run = stepwell.init(
        project=PROJECT,
        group=group,
        name=f"{group}_seed_{settings.seed}",
        tags=["sweep"],
        config=settings,
        store=store,
    )
    with run, redirect_stdout(io.StringIO()):  # many summaries at once help nobody
        visualizer = create_custom_visualizer(
            metrics_config={"train_loss": (0, "blue"), "val_loss": (0, "red")},
            plot_titles=["Loss curves"],
            subplot_layout=(1, 1),
            yscales=["log"],
            title=f"Training: LR={rate:g}, BS={size}",
            window="none",
        )
        with visualizer:
            validation_accuracy = train(settings, visualizer.update_metrics)
    return Outcome(run.name, run.location, validation_accuracy)


def sweep(combinations: Sequence[Settings], jobs: int, store: Path | None) -> list[Outcome]:
    """Train with each of the settings, *jobs* at a time, and say how each went."""
    # One thread a process: the processes are what keeps the cores busy.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=jobs, mp_context=fresh) as processes:
        started = [processes.submit(train_one, one, store) for one in combinations]
        outcomes = []
        for number, future in enumerate(as_completed(started), start=1):
            outcome = future.result()
            outcomes.append(outcome)
            accuracy = f"validation accuracy {outcome.validation_accuracy:.1%}"
            print(f"{number}/{len(started)}  {outcome.name}  {accuracy}", flush=True)
    return outcomes


def commands(location: Path) -> list[str]:
    """How to look at the sweep on the command line."""
    stepwell_here = f"stepwell --store {shlex.quote(str(location))}"
    return [
        f"{stepwell_here} ls --project {PROJECT}",
        f"{stepwell_here} best val_loss --project {PROJECT}",
        f"{stepwell_here} report -m val_loss --project {PROJECT} -o sweep.png",
    ]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train with each of several settings.")
    parser.add_argument("--lr", type=float, nargs="+", default=[0.001, 0.01, 0.1])
    parser.add_argument("--batch-size", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--seed", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=15, help="default: %(default)s")
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        help="runs at a time; default: as many as there are cores (%(default)s)",
    )
    parser.add_argument("--store", type=Path, help="path of the store's database file")
    return parser.parse_args()


def main() -> None:
    """Run the sweep, and say how to look at it."""
    arguments = parse_arguments()
    combinations = list(
        settings_of_sweep(
            arguments.lr, arguments.batch_size, arguments.seed, arguments.epochs
        )
    )
    outcomes = sweep(combinations, arguments.jobs, arguments.store)
    print("\nLook at them with")
    for command in commands(outcomes[0].location):
        print(f"  {command}")


if __name__ == "__main__":
    main()
