"""The ways in which a visualizer shows its run while it records."""

from typing import Protocol

from stepwell.store import Run
from stepwell.viz.base.messages import in_notebook, say_once
from stepwell.viz.config.visualizer_config import TrainingVisualizerConfig
from stepwell.viz.window.backend import has_display, wanted_backend, wants_no_window
from stepwell.viz.window.process_main import no_window_line


class View(Protocol):
    """What a visualizer tells the one who shows its run."""

    def update(self, updates: int) -> None:
        """Metrics were recorded, for the *updates*-th time."""

    def force(self) -> None:
        """Show what has been recorded, at once."""

    def close(self) -> None:
        """Show the last state, and end."""


def open_view(run: Run, config: TrainingVisualizerConfig) -> View | None:
    """The view that *config* asks for, as far as there is one here; None for none."""
    if config.window == "none":
        return None
    if in_notebook():
        from stepwell.viz.window.notebook import NotebookView  # noqa: PLC0415 (loads matplotlib)

        return NotebookView(run, config)
    backend = wanted_backend()
    # Who has chosen Agg, as on a server, wants no window and no word about it.
    if config.window == "auto" and wants_no_window(backend):
        return None
    if not has_display():
        say_once("no window", no_window_line(run.name, run.location))
        return None
    if config.window == "inline":
        from stepwell.viz.window.inline import open_inline  # noqa: PLC0415 (loads matplotlib)

        return open_inline(run, config, backend)
    from stepwell.viz.window.process import WindowProcess  # noqa: PLC0415 (slow to import)

    return WindowProcess(run, config, backend)
