"""A window on a run of any process, in a process of its own."""

import os
import select
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from stepwell.store import StepwellError

from ._backend import first_backend, has_display
from ._config import TrainingVisualizerConfig

if TYPE_CHECKING:
    from stepwell.store import Store

NO_WINDOW = 3
"""Exit code of a window process that found no way to open a window."""


def watch_in_window(  # noqa: PLR0913 (what to show, and how)
    store: "Store",
    run_reference: str,
    config: TrainingVisualizerConfig,
    *,
    stay: bool = True,
    backend: str | None = None,
    commands: Callable[[], list[str] | None] = list,
) -> bool:
    """Show a run in a window until it is closed, or the run has ended.

    Args:
        store: Where the run is.
        run_reference: The run.
        config: What is drawn.
        stay: Whether the window stays, with the final picture, when the run has ended.
        backend: `qtagg` or `tkagg`; the better one that works when absent.
        commands: Gives what was asked of the window since; see `follow_run`.

    Returns:
        Whether there was a window to show it in.

    Raises:
        StepwellError: If the run can't be read.
    """
    info = store.run(run_reference)
    chosen = first_backend(backend)
    if chosen is None:
        print(no_window_line(info.name), file=sys.stderr)
        return False
    import matplotlib as mpl  # noqa: PLC0415 (slow to import)

    mpl.use(chosen)  # this process is the window's own
    from ._following import FollowingWindow, follow_run  # noqa: PLC0415
    from ._style import own_style  # noqa: PLC0415

    with own_style():
        shown = FollowingWindow(
            store, info.run_id, config, chosen, f"{info.name} – Stepwell"
        )
        try:
            follow_run(
                shown,
                store,
                stay=stay,
                update_interval=config.update_interval,
                commands=commands,
            )
        except KeyboardInterrupt:
            return True
        if not shown.window.is_open and shown.live.status == "running":
            print(closed_line(info.name), file=sys.stderr)
        shown.window.close()
    return True


def no_window_line(name: str) -> str:
    """What to say where no window can be opened."""
    why = "no window toolkit works here" if has_display() else "no display"
    return (
        f"stepwell: {why}, so no live window; metrics are recorded all the same."
        f' In a terminal: stepwell show "{name}"'
    )


def closed_line(name: str) -> str:
    """What to say when the user closed the window of a run that goes on."""
    return (
        "stepwell: window closed; the run goes on."
        f' To open it again: stepwell watch --window "{name}"'
    )


def commands_from(descriptor: int) -> Callable[[], list[str] | None]:
    """Commands that a parent process writes, a word a line; None when it has gone."""
    parent = os.getppid()
    received = b""

    def read() -> list[str] | None:
        nonlocal received
        words: list[str] = []
        while select.select([descriptor], [], [], 0)[0]:
            data = os.read(descriptor, 4096)
            if not data:
                return None
            *lines, received = (received + data).split(b"\n")
            words += [line.decode() for line in lines]
        return words if os.getppid() == parent else None

    return read


def main(location: str, run_id: str, layout: str) -> int:
    """The program of a visualizer's window process; gives the exit code.

    Args:
        location: The store's database file.
        run_id: The run.
        layout: The configuration as JSON, with `keep_window` for whether to stay.
    """
    import json  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from stepwell.store import open_store  # noqa: PLC0415

    from ._kept_layout import config_of  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the training's
    values = json.loads(layout)
    config = config_of(values)
    try:
        with open_store(location) as store:
            shown = watch_in_window(
                store,
                run_id,
                config,
                stay=config.keep_window,
                backend=values.get("backend"),
                commands=commands_from(0),
            )
    except StepwellError as error:
        print(f"stepwell: the live window ended: {error}", file=sys.stderr)
        return 1
    return 0 if shown else NO_WINDOW
