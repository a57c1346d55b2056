"""The examples run, and do what their text says."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import digits
import moe
import numpy as np
import pytest

import stepwell

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_network_learns() -> None:
    recorded: list[dict[str, float]] = []

    validation_accuracy = digits.train(digits.Settings(epochs=10), recorded.append)

    assert validation_accuracy > 0.95
    assert recorded[-1]["train_loss"] < recorded[0]["train_loss"] / 10


def test_the_gradient_is_that_of_the_loss() -> None:
    random = np.random.default_rng(0)
    network = digits.Network(pixels=5, hidden=4, classes=3, random=random)
    images, labels = random.random((6, 5)), random.integers(0, 3, 6)
    gradients = network.backward(images, labels, *network.forward(images))

    for parameter, gradient in zip(network.parameters, gradients, strict=True):
        before = parameter.flat[1]
        losses = []
        for move in (1e-6, -1e-6):
            parameter.flat[1] = before + move
            losses.append(digits.cross_entropy(network.forward(images)[1], labels))
        parameter.flat[1] = before
        slope = (losses[0] - losses[1]) / 2e-6
        assert gradient.flat[1] == pytest.approx(slope, rel=1e-4, abs=1e-8)


def test_the_same_seed_gives_the_same_run() -> None:
    settings = digits.Settings(epochs=1, seed=3)
    first: list[dict[str, float]] = []
    second: list[dict[str, float]] = []

    digits.train(settings, first.append)
    digits.train(settings, second.append)

    assert first == second


def test_the_program_keeps_its_run_and_leaves_a_picture(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "digits.py"), "--epochs", "2"]
    command += ["--name", "short", "--store", "runs.duckdb", "--lr", "0.2"]
    printed = subprocess.check_output(command, cwd=tmp_path, text=True)

    assert str(tmp_path / "digits.png") in printed
    assert (tmp_path / "digits.png").stat().st_size > 0
    with stepwell.open_store(tmp_path / "runs.duckdb") as store:
        (run,) = store.runs()
        counts = {name: found.count for name, found in store.summary(run).items()}
    assert (run.name, run.project, run.status) == ("short", "digits", "finished")
    assert run.config["learning_rate"] == 0.2
    steps = counts.pop("train_loss")
    assert counts == {
        "accuracy": steps,
        "learning_rate": steps,
        "grad_norm": steps,
        "val_loss": -(-steps // digits.VALIDATION_INTERVAL),
        "val_accuracy": -(-steps // digits.VALIDATION_INTERVAL),
    }


def test_the_mixture_of_experts_learns_and_uses_its_experts() -> None:
    recorded: list[dict[str, Any]] = []

    settings = moe.Settings(epochs=8, experts=8)
    validation_accuracy = moe.train(settings, lambda step, said: recorded.append(said))

    assert validation_accuracy > 0.9
    load = recorded[-1]["expert_utilization"]
    assert sum(load.values()) == pytest.approx(1.0)
    assert recorded[-1]["load_balance"] > 0.7


def test_without_the_auxiliary_loss_the_load_is_less_even() -> None:
    found = []
    for weight in (0.0, 0.05):
        recorded: list[dict[str, Any]] = []

        def record(step: int, said: dict[str, Any], to: Any = recorded) -> None:
            to.append(said)

        settings = moe.Settings(epochs=6, experts=8, aux_weight=weight)
        moe.train(settings, record)
        found.append(recorded[-1]["load_balance"])

    assert found[0] < found[1]


def test_the_gradient_of_the_mixture_is_that_of_its_loss() -> None:
    random = np.random.default_rng(0)
    settings = moe.Settings(experts=4, top_k=2, hidden=3, aux_weight=0.3)
    network = moe.MixtureOfExperts(5, 3, settings, random)
    images, labels = random.random((6, 5)), random.integers(0, 3, 6)
    gradients = network.backward(images, labels, network.forward(images))

    def loss() -> float:
        passed = network.forward(images)
        said = digits.cross_entropy(passed.predicted, labels)
        return said + settings.aux_weight * passed.auxiliary_loss

    for parameter, gradient in zip(network.parameters, gradients, strict=True):
        place = int(np.abs(gradient).argmax())
        before = parameter.flat[place]
        losses = []
        for move in (1e-6, -1e-6):
            parameter.flat[place] = before + move
            losses.append(loss())
        parameter.flat[place] = before
        slope = (losses[0] - losses[1]) / 2e-6
        assert gradient.flat[place] == pytest.approx(slope, rel=1e-4, abs=1e-8)


def test_the_mixture_prints_plain_lines_into_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "moe.py"), "--epochs", "2", "--experts", "4"]
    command += ["--name", "short", "--store", "runs.duckdb"]
    printed = subprocess.check_output(command, cwd=tmp_path, text=True)

    assert "\x1b" not in printed
    assert "finished after" in printed
    assert "step 90/90  100%" in printed
    with stepwell.open_store(tmp_path / "runs.duckdb") as store:
        (run,) = store.runs()
        summary = store.summary(run)
    assert (run.status, run.config["experts"], run.config["total_steps"]) == (
        "finished",
        4,
        90,
    )
    assert {name: one.count for name, one in summary.items()} == dict.fromkeys(
        [
            "train_loss",
            "aux_loss",
            "learning_rate",
            "accuracy",
            "expert_entropy",
            "load_balance",
            "batch_size",
            "gradient_norm",
            *(f"expert_{number}" for number in range(4)),
            "router_confidence",
        ],
        90,
    ) | dict.fromkeys(["val_loss", "val_accuracy"], 4)
