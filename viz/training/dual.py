"""Plots and terminal view of one run, as one system."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from stepwell.store import Run
from stepwell.viz.base.print_lines import say
from stepwell.viz.config.terminal_config import TrainingSnapshot, VisualizationConfig
from stepwell.viz.terminal.visualizer import RichTrainerVisualizer

from .factories import create_moe_visualizer

_PLOTTED = (
    "train_loss",
    "val_loss",
    "aux_loss",
    "learning_rate",
    "position_error",
    "velocity_error",
    "accuracy",
    "f1_score",
    "expert_entropy",
    "load_balance",
    "routing_loss",
    "samples_per_sec",
    "tokens_per_sec",
    "gpu_utilization",
)
_IN_SNAPSHOT = frozenset(
    {
        "train_loss",
        "val_loss",
        "aux_loss",
        "learning_rate",
        "expert_utilization",
        "batch_size",
        "sequence_length",
        "gpu_memory_mb",
        "gradient_norm",
        "custom_metrics",
    }
)


class DualVisualizationSystem:
    """Matplotlib plots and a terminal view of one run.

    Both record into the run that the plots' visualizer joins or starts, and what both
    say at a step is one point.

    Args:
        total_steps: Steps in all.
        n_experts: How many experts the plots show.
        config: What the terminal shows; all of it when absent.
        run: The run to join; by default the active one, else a new one.

    Attributes:
        scientific_viz: The plots.
        terminal_viz: The terminal view.
        total_steps: Steps in all.
    """

    def __init__(
        self,
        total_steps: int,
        n_experts: int = 8,
        *,
        config: VisualizationConfig | None = None,
        run: Run | None = None,
    ) -> None:
        self.scientific_viz = create_moe_visualizer(n_experts=n_experts, run=run)
        self.terminal_viz = RichTrainerVisualizer(config, run=self.scientific_viz.run)
        self.total_steps = total_steps
        self._is_disabled = self.run.is_disabled

    @property
    def run(self) -> Run:
        """The run that takes the metrics."""
        return self.scientific_viz.run

    def initialize(self, description: str = "Training with Dual Visualization") -> None:
        """Begin to show the run.

        Args:
            description: What is trained, in the head of the terminal view.
        """
        self.terminal_viz.start(total_steps=self.total_steps, description=description)

    def update_training_metrics(
        self, step: int, comprehensive_metrics: Mapping[str, Any]
    ) -> None:
        """Record a step, in both.

        Args:
            step: The training step.
            comprehensive_metrics: Names and values. `expert_utilization` and
                `custom_metrics` are mappings of their own.
        """
        if self._is_disabled:
            return
        plot_metrics = self._prepare_plot_metrics(comprehensive_metrics)
        self.scientific_viz.update_metrics(plot_metrics, step=step)
        self.terminal_viz.update(
            self._create_terminal_snapshot(step, comprehensive_metrics)
        )

    def save_scientific_plots(self, filename: str | Path) -> None:
        """Save the plots, with all that has been recorded so far.

        Args:
            filename: The file: .png, .pdf or .svg; without a suffix it becomes a .png.

        Raises:
            ConfigurationError: The suffix is another one.
            OSError: The file can't be written.
        """
        self.scientific_viz.save_plot(filename)
        if self._is_disabled:
            return
        say(f"Saved scientific plots to {filename}")

    def get_training_summary(self) -> dict[str, Any]:
        """What each metric has come to, and what shows it."""
        return {
            "matplotlib_metrics": self.scientific_viz.get_metrics_summary(),
            "training_completed": True,
            "visualization_systems": ["matplotlib", "rich_terminal"],
        }

    def cleanup(self) -> None:
        """Close both; a second call does nothing.

        While an exception is on its way, that is what the run ends by.
        """
        # The terminal first: the plots' summary is printed below its last state.
        self.terminal_viz.close()
        self.scientific_viz.close()

    def __enter__(self) -> Self:
        self.initialize()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.terminal_viz.__exit__(exc_type, exc_value, traceback)
        self.scientific_viz.__exit__(exc_type, exc_value, traceback)

    def _prepare_plot_metrics(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """What the plots are told: the metrics that they have panels for."""
        return {name: metrics[name] for name in _PLOTTED if metrics.get(name) is not None}

    def _create_terminal_snapshot(
        self, step: int, metrics: Mapping[str, Any]
    ) -> TrainingSnapshot:
        """What the terminal is told: everything."""
        custom = {
            name: value for name, value in metrics.items() if name not in _IN_SNAPSHOT
        }
        return TrainingSnapshot(
            step=step,
            train_loss=metrics.get("train_loss"),
            val_loss=metrics.get("val_loss"),
            learning_rate=metrics.get("learning_rate"),
            aux_loss=metrics.get("aux_loss"),
            expert_utilization=metrics.get("expert_utilization"),
            batch_size=metrics.get("batch_size"),
            sequence_length=metrics.get("sequence_length"),
            gpu_memory_mb=metrics.get("gpu_memory_mb"),
            gradient_norm=metrics.get("gradient_norm"),
            custom_metrics=custom | dict(metrics.get("custom_metrics") or {}),
        )
