"""Train a small mixture of experts to read digits, and watch where its router sends them.

    python examples/moe.py
    python examples/moe.py --experts 32 --aux-weight 0 --name unbalanced

A router sends each image to the two experts that it holds for the best; a further loss
keeps it from sending all of them to the same. The figure and the terminal view are two
views of one run: `stepwell watch last`, in a second terminal, is a third. The network and
its training are written out in numpy; the lines that track the run are those in `main`.
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from digits import (
    Array,
    Labels,
    Momentum,
    accuracy,
    batches,
    cosine,
    cross_entropy,
    load_images,
)
from numpy.typing import NDArray

import stepwell

Metrics = dict[str, Any]

VALIDATION_INTERVAL = 25


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run is made with; recorded as its configuration."""

    learning_rate: float = 0.05
    momentum: float = 0.9
    batch_size: int = 32
    experts: int = 16
    top_k: int = 2
    hidden: int = 24
    aux_weight: float = 0.05
    epochs: int = 60
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """What one expert made of its images.

    Attributes:
        images: Which images of the batch it was given.
        slots: As which of its choices each image was sent to it.
        hidden: Its hidden activations.
        scores: Its score for each class.
    """

    images: NDArray[np.intp]
    slots: NDArray[np.intp]
    hidden: Array
    scores: Array


@dataclass(frozen=True, slots=True)
class Pass:
    """One way through the network.

    Attributes:
        predicted: The logarithm of each class's probability.
        wanted: The router's probability of each expert, an image a row.
        chosen: The experts that each image is sent to.
        gates: How much each of them counts.
        parts: What each expert did.
        load: Share of the assignments that each expert got.
    """

    predicted: Array
    wanted: Array
    chosen: NDArray[np.intp]
    gates: Array
    parts: list[Part]
    load: Array

    @property
    def auxiliary_loss(self) -> float:
        """1 where the load is even; the more, the less even it is."""
        return float(len(self.load) * (self.load * self.wanted.mean(axis=0)).sum())


class MixtureOfExperts:
    """A linear router, and experts with one hidden layer each."""

    def __init__(
        self, pixels: int, classes: int, settings: Settings, random: np.random.Generator
    ) -> None:
        experts, hidden = settings.experts, settings.hidden
        self.top_k = settings.top_k
        self.aux_weight = settings.aux_weight
        self.parameters = [
            random.normal(0, 0.1, (pixels, experts)),
            random.normal(0, math.sqrt(2 / pixels), (experts, pixels, hidden)),
            np.zeros((experts, hidden)),
            random.normal(0, math.sqrt(1 / hidden), (experts, hidden, classes)),
            np.zeros((experts, classes)),
        ]

    def forward(self, images: Array) -> Pass:
        """Route each image, and join what its experts say."""
        router, weights_in, bias_in, weights_out, bias_out = self.parameters
        wanted = np.exp(log_softmax(images @ router))
        chosen = np.argsort(-wanted, axis=1, kind="stable")[:, : self.top_k]
        gates = np.take_along_axis(wanted, chosen, axis=1)
        gates /= gates.sum(axis=1, keepdims=True)

        scores = np.zeros((len(images), bias_out.shape[1]))
        parts = []
        for expert in range(len(weights_in)):
            rows, slots = np.nonzero(chosen == expert)
            hidden = np.maximum(images[rows] @ weights_in[expert] + bias_in[expert], 0)
            said = hidden @ weights_out[expert] + bias_out[expert]
            scores[rows] += gates[rows, slots, None] * said
            parts.append(Part(rows, slots, hidden, said))
        load = np.array([len(part.images) for part in parts]) / chosen.size
        return Pass(log_softmax(scores), wanted, chosen, gates, parts, load)

    def backward(self, images: Array, labels: Labels, passed: Pass) -> list[Array]:
        """The gradient of loss and weighted auxiliary loss, an array a parameter."""
        _, _, _, weights_out, _ = self.parameters
        gradients = [np.zeros_like(parameter) for parameter in self.parameters]
        error = np.exp(passed.predicted)
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)

        gate_error = np.zeros_like(passed.gates)
        for expert, part in enumerate(passed.parts):
            rows, slots = part.images, part.slots
            gate_error[rows, slots] = (part.scores * error[rows]).sum(axis=1)
            said = error[rows] * passed.gates[rows, slots, None]
            hidden = (said @ weights_out[expert].T) * (part.hidden > 0)
            gradients[1][expert] = images[rows].T @ hidden
            gradients[2][expert] = hidden.sum(axis=0)
            gradients[3][expert] = part.hidden.T @ said
            gradients[4][expert] = said.sum(axis=0)

        # Through the gates' normalization, then through the softmax.
        gate_error -= (gate_error * passed.gates).sum(axis=1, keepdims=True)
        chosen_sum = np.take_along_axis(passed.wanted, passed.chosen, axis=1).sum(axis=1)
        wanted = np.zeros_like(passed.wanted)
        np.put_along_axis(wanted, passed.chosen, gate_error / chosen_sum[:, None], axis=1)
        wanted += self.aux_weight * len(passed.load) * passed.load / len(labels)
        inner = (wanted * passed.wanted).sum(axis=1, keepdims=True)
        gradients[0] = images.T @ (passed.wanted * (wanted - inner))
        return gradients


def entropy(shares: Array) -> float:
    """Entropy of *shares*, which add up to 1, in bits."""
    used = shares[shares > 0]
    return float(-(used * np.log2(used)).sum())


def log_softmax(scores: Array) -> Array:
    """The logarithm of each row's softmax."""
    scores = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def steps_of(settings: Settings, images: int) -> int:
    """Steps of a whole training."""
    return settings.epochs * math.ceil(images / settings.batch_size)


def train(settings: Settings, record: Callable[[int, Metrics], object]) -> float:
    """Train a network, and hand each step's metrics to *record*.

    Args:
        settings: Sizes, learning rate and seed.
        record: Called once a step, such as a visualizer's `update_training_metrics`.

    Returns:
        The accuracy on the validation images, in the end.
    """
    (images, labels), (validation_images, validation_labels) = load_images()
    random = np.random.default_rng(settings.seed)
    network = MixtureOfExperts(images.shape[1], 10, settings, random)
    optimizer = Momentum(network.parameters, settings.momentum)
    total_steps = steps_of(settings, len(labels))
    step = 0
    load = np.full(settings.experts, 1 / settings.experts)

    for epoch in range(settings.epochs):
        for batch in batches(len(labels), settings.batch_size, random):
            passed = network.forward(images[batch])
            gradients = network.backward(images[batch], labels[batch], passed)
            learning_rate = settings.learning_rate * cosine(step / total_steps)
            optimizer.step(gradients, learning_rate)
            load += 0.1 * (passed.load - load)  # of the last ten or twenty batches
            metrics: Metrics = {
                "train_loss": cross_entropy(passed.predicted, labels[batch]),
                "aux_loss": passed.auxiliary_loss,
                "accuracy": accuracy(passed.predicted, labels[batch]),
                "learning_rate": learning_rate,
                "gradient_norm": math.sqrt(sum(float((g**2).sum()) for g in gradients)),
                "expert_entropy": entropy(load),
                "load_balance": entropy(load) / math.log2(settings.experts),
                "expert_utilization": dict(enumerate(load.tolist())),
                "batch_size": len(batch),
                "custom_metrics": {"router_confidence": float(passed.gates[:, 0].mean())},
            }
            if step % VALIDATION_INTERVAL == 0:
                found = network.forward(validation_images).predicted
                metrics["val_loss"] = cross_entropy(found, validation_labels)
                metrics["val_accuracy"] = accuracy(found, validation_labels)
            record(step, metrics)
            step += 1
        if (epoch + 1) % 20 == 0:
            found = network.forward(validation_images).predicted
            right = accuracy(found, validation_labels)
            print(f"epoch {epoch + 1}: {right:.1%} of the validation images are read right")

    return accuracy(network.forward(validation_images).predicted, validation_labels)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    defaults = Settings()
    parser = argparse.ArgumentParser(description="Train a small mixture of experts.")
    parser.add_argument("--experts", type=int, default=defaults.experts)
    parser.add_argument("--top-k", type=int, default=defaults.top_k)
    parser.add_argument("--aux-weight", type=float, default=defaults.aux_weight)
    parser.add_argument("--lr", type=float, default=defaults.learning_rate)
    parser.add_argument("--batch-size", type=int, default=defaults.batch_size)
    parser.add_argument("--hidden", type=int, default=defaults.hidden)
    parser.add_argument("--epochs", type=int, default=defaults.epochs)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--name", help="name of the run")
    parser.add_argument("--project", default="moe", help="default: %(default)s")
    parser.add_argument("--store", help="path of the store's database file")
    parser.add_argument(
        "-o", "--output", type=Path, default="moe.png", help="default: %(default)s"
    )
    return parser.parse_args()


def main() -> None:
    """Train one network, with its figure and its terminal view while it learns."""
    arguments = parse_arguments()
    settings = Settings(
        learning_rate=arguments.lr,
        batch_size=arguments.batch_size,
        experts=arguments.experts,
        top_k=arguments.top_k,
        hidden=arguments.hidden,
        aux_weight=arguments.aux_weight,
        epochs=arguments.epochs,
        seed=arguments.seed,
    )
    total_steps = steps_of(settings, len(load_images()[0][1]))
    run = stepwell.init(
        project=arguments.project,
        name=arguments.name,
        config=settings,
        store=arguments.store,
    )
    with run, stepwell.DualVisualizationSystem(total_steps, settings.experts) as views:
        train(settings, views.update_training_metrics)
    views.save_scientific_plots(arguments.output)
    print(f"Run {run.name!r} is kept in {run.location}")


if __name__ == "__main__":
    main()
