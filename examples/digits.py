"""Train a small network to read digits, and watch it learn.

    python examples/digits.py
    python examples/digits.py --lr 0.1 --batch-size 64 --name large-batches

Each run is kept in the store: `stepwell ls` lists it, `stepwell sql` answers questions
about it. The network and its training are written out in numpy; the lines that track
the run are those in `main`.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import stepwell
from m.training_viz import (
    MetricConfig,
    PlotConfig,
    RealTimeTrainingVisualizer,
    TrainingVisualizerConfig,
)

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Metrics = dict[str, float]

VALIDATION_INTERVAL = 25


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run is made with; recorded as its configuration."""

    learning_rate: float = 0.05
    momentum: float = 0.9
    batch_size: int = 16
    hidden: int = 128
    epochs: int = 60
    seed: int = 0


def load_images() -> tuple[tuple[Array, Labels], tuple[Array, Labels]]:
    """Images and labels: four fifths to train with, and one fifth to validate."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 (takes seconds to import)

    images, labels = (np.asarray(column) for column in load_digits(return_X_y=True))
    order = np.random.default_rng(0).permutation(len(labels))
    images, labels = images[order] / 16, labels[order]
    split = len(labels) * 4 // 5
    return (images[:split], labels[:split]), (images[split:], labels[split:])


class Network:
    """One hidden layer of rectified linear units, and a softmax over the classes."""

    def __init__(
        self, pixels: int, hidden: int, classes: int, random: np.random.Generator
    ) -> None:
        self.parameters = [
            random.normal(0, math.sqrt(2 / pixels), (pixels, hidden)),
            np.zeros(hidden),
            random.normal(0, math.sqrt(1 / hidden), (hidden, classes)),
            np.zeros(classes),
        ]

    def forward(self, images: Array) -> tuple[Array, Array]:
        """The hidden activations, and the logarithm of each class's probability."""
        weights_in, bias_in, weights_out, bias_out = self.parameters
        hidden = np.maximum(images @ weights_in + bias_in, 0)
        scores = hidden @ weights_out + bias_out
        scores -= scores.max(axis=1, keepdims=True)
        return hidden, scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))

    def backward(
        self, images: Array, labels: Labels, hidden: Array, predicted: Array
    ) -> list[Array]:
        """The gradient of the mean cross-entropy, one array for each parameter."""
        error = np.exp(predicted)
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        hidden_error = (error @ self.parameters[2].T) * (hidden > 0)
        return [
            images.T @ hidden_error,
            hidden_error.sum(axis=0),
            hidden.T @ error,
            error.sum(axis=0),
        ]


def cross_entropy(predicted: Array, labels: Labels) -> float:
    """How surprised the network is by the right answers, on average."""
    return float(-predicted[np.arange(len(labels)), labels].mean())


def accuracy(predicted: Array, labels: Labels) -> float:
    """The share of images whose most probable class is right."""
    return float((predicted.argmax(axis=1) == labels).mean())


def batches(count: int, size: int, random: np.random.Generator) -> Iterator[Labels]:
    """Shuffle *count* indices, and deal them out; the last batch may be smaller."""
    order = random.permutation(count)
    for start in range(0, count, size):
        yield order[start : start + size]


def cosine(progress: float) -> float:
    """Half a cosine wave, from 1 at the start down to a thousandth."""
    return max((1 + math.cos(math.pi * progress)) / 2, 0.001)


class Momentum:
    """Gradient descent that keeps a part of its last move."""

    def __init__(self, parameters: list[Array], momentum: float) -> None:
        self.parameters = parameters
        self.momentum = momentum
        self.velocities = [np.zeros_like(parameter) for parameter in parameters]

    def step(self, gradients: list[Array], learning_rate: float) -> None:
        """Move the parameters, in place."""
        for i, gradient in enumerate(gradients):
            self.velocities[i] *= self.momentum
            self.velocities[i] -= learning_rate * gradient
            self.parameters[i] += self.velocities[i]


def train(settings: Settings, record: Callable[[Metrics], object]) -> float:
    """Train a network, and hand each step's metrics to *record*.

    Args:
        settings: Sizes, learning rate and seed.
        record: Called once a step, such as `run.log` or `visualizer.update_metrics`.

    Returns:
        The accuracy on the validation images, in the end.
    """
    (images, labels), (validation_images, validation_labels) = load_images()
    random = np.random.default_rng(settings.seed)
    network = Network(images.shape[1], settings.hidden, 10, random)
    optimizer = Momentum(network.parameters, settings.momentum)
    total_steps = settings.epochs * math.ceil(len(labels) / settings.batch_size)
    step = 0

    for _ in range(settings.epochs):
        for batch in batches(len(labels), settings.batch_size, random):
            hidden, predicted = network.forward(images[batch])
            gradients = network.backward(images[batch], labels[batch], hidden, predicted)
            learning_rate = settings.learning_rate * cosine(step / total_steps)
            optimizer.step(gradients, learning_rate)
            metrics = {
                "train_loss": cross_entropy(predicted, labels[batch]),
                "accuracy": accuracy(predicted, labels[batch]),
                "learning_rate": learning_rate,
                "grad_norm": math.sqrt(sum(float((g**2).sum()) for g in gradients)),
            }

            if step % VALIDATION_INTERVAL == 0:
                _, predicted = network.forward(validation_images)
                metrics["val_loss"] = cross_entropy(predicted, validation_labels)
                metrics["val_accuracy"] = accuracy(predicted, validation_labels)
            record(metrics)
            step += 1

    _, predicted = network.forward(validation_images)
    return accuracy(predicted, validation_labels)


def dashboard() -> TrainingVisualizerConfig:
    """Four panels: loss, accuracy, learning rate, gradient norm."""
    return TrainingVisualizerConfig(
        title="Reading digits",
        plots=[
            PlotConfig(title="Loss", ylabel="Cross-entropy", yscale="log"),
            PlotConfig(title="Accuracy", ylabel="Share of images"),
            PlotConfig(title="Learning rate", ylabel="Rate", yscale="log"),
            PlotConfig(title="Gradient norm", ylabel="Norm", yscale="log"),
        ],
        metrics=[
            MetricConfig("train_loss", 0, label="training batch"),
            MetricConfig("val_loss", 0, label="validation"),
            MetricConfig("accuracy", 1, label="training batch"),
            MetricConfig("val_accuracy", 1, label="validation"),
            MetricConfig("learning_rate", 2),
            MetricConfig("grad_norm", 3),
        ],
    )


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    defaults = Settings()
    parser = argparse.ArgumentParser(description="Train a small network to read digits.")
    parser.add_argument("--lr", type=float, default=defaults.learning_rate)
    parser.add_argument("--batch-size", type=int, default=defaults.batch_size)
    parser.add_argument("--hidden", type=int, default=defaults.hidden)
    parser.add_argument("--epochs", type=int, default=defaults.epochs)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--name", help="name of the run")
    parser.add_argument("--project", default="digits", help="default: %(default)s")
    parser.add_argument("--store", help="path of the store's database file")
    parser.add_argument(
        "-o", "--output", type=Path, default="digits.png", help="default: %(default)s"
    )
    return parser.parse_args()


def main() -> None:
    """Train one network, with its figure open while it learns."""
    arguments = parse_arguments()
    settings = Settings(
        learning_rate=arguments.lr,
        batch_size=arguments.batch_size,
        hidden=arguments.hidden,
        epochs=arguments.epochs,
        seed=arguments.seed,
    )
    run = stepwell.init(
        project=arguments.project,
        name=arguments.name,
        config=settings,
        store=arguments.store,
    )
    with run, RealTimeTrainingVisualizer(dashboard()) as visualizer:
        validation_accuracy = train(settings, visualizer.update_metrics)
    visualizer.save_plot(arguments.output)
    print(f"Validation accuracy {validation_accuracy:.1%}; run {run.name!r} is kept in")
    print(f"{run.location}; its figure is {arguments.output.resolve()}")


if __name__ == "__main__":
    main()
