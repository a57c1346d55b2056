"""A window on a run of any process, in a process of its own."""

import os
import select
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from stepwell.store import StepwellError, StoreBusyError
from stepwell.viz.base.print_lines import say
from stepwell.viz.config.visualizer_config import TrainingVisualizerConfig

from .backend import first_backend, has_display

if TYPE_CHECKING:
    from stepwell.store import RunInfo, Store

NO_WINDOW = 3
"""Exit code of a window process that found no way to open a window."""

FAILED = 4
"""Exit code of a window process that failed, and has said why."""

_NICENESS = 5  # a window gives way to the training
_QUESTION_SECONDS = 2.0  # a busy store keeps a window from its user for no longer


def watch_in_window(  # noqa: PLR0913 (what to show, and how)
    store: "Store",
    run_reference: str,
    config: TrainingVisualizerConfig,
    *,
    is_asked_for: bool = True,
    stay: bool = True,
    backend: str | None = None,
    commands: Callable[[], list[str] | None] = list,
) -> bool:
    """Show a run in a window until it is closed, or the run has ended.

    Args:
        store: Where the run is.
        run_reference: The run.
        config: What is drawn.
        is_asked_for: Whether somebody waits for this window, and nothing else.
        stay: Whether the window stays, with the final picture, when the run has ended.
        backend: `qtagg` or `tkagg`; the better one that works when absent.
        commands: Gives what was asked of the window since; see `follow_run`.

    Returns:
        Whether there was a window to show it in.

    Raises:
        StepwellError: If the run can't be read.
    """
    info = store.run(run_reference)
    chosen = first_backend(backend, meanwhile=_load)
    if chosen is None:
        line = no_watching_line if is_asked_for else no_window_line
        say(line(info.name, store.location), sys.stderr)
        return False
    try:
        _show(store, info, config, chosen, stay=stay, commands=commands)
    except KeyboardInterrupt:
        say("", sys.stderr)
    return True


def _load() -> None:
    """Import what takes long."""
    import stepwell.viz.window.window_loop  # noqa: F401, PLC0415


def _show(  # noqa: PLR0913
    store: "Store",
    info: "RunInfo",
    config: TrainingVisualizerConfig,
    backend: str,
    *,
    stay: bool,
    commands: Callable[[], list[str] | None],
) -> None:
    import matplotlib as mpl  # noqa: PLC0415 (slow to import)

    mpl.use(backend)  # this process is the window's own
    from stepwell.viz.drawing.rc_params import own_style  # noqa: PLC0415

    from .window_loop import FollowingWindow, follow_run  # noqa: PLC0415

    with own_style():
        shown = FollowingWindow(store, info, config, backend)
        follow_run(
            shown,
            store,
            stay=stay,
            update_interval=config.update_interval,
            commands=commands,
        )
        if shown.live.status == "running" and not shown.window.is_open:
            line = lost_line if shown.window.is_lost else closed_line
            say(line(info.name, store.location), sys.stderr)
        shown.window.close()


def no_window_line(name: str, location: Path) -> str:
    """What a training says where no window can be opened."""
    return (
        f"stepwell: {_why()}, so no live window; metrics are recorded all the same."
        f" In another terminal: {_command('watch', name, location)}"
    )


def no_watching_line(name: str, location: Path) -> str:
    """What to say to who asked for a window where none can be opened."""
    return (
        f"stepwell: {_why()}, so no window. In this terminal:"
        f" {_command('watch', name, location)}; as a picture:"
        f" {_command('plot', name, location)}"
    )


def _why() -> str:
    return "no window toolkit works here" if has_display() else "no display"


def closed_line(name: str, location: Path) -> str:
    """What to say when the user closed the window of a run that goes on."""
    return (
        "stepwell: window closed; the run goes on."
        f" To open it again: {_command('watch --window', name, location)}"
    )


def lost_line(name: str, location: Path) -> str:
    """What to say when a window's process died, with its display perhaps."""
    return (
        "stepwell: the live window died; the run goes on."
        f" To open it again: {_command('watch --window', name, location)}"
    )


def _command(words: str, name: str, location: Path) -> str:
    """A command that works in the folder and with the settings of this process."""
    command = f"stepwell {words} {shlex.quote(name)}"
    usual = Path(os.environ.get("STEPWELL_STORE") or "stepwell.duckdb")
    if usual.resolve() != location:
        command += f" --store {shlex.quote(str(location))}"
    return command


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
                _let_go()
                # What came before the end is obeyed first; the next call meets the end
                # again.
                return words or None
            *lines, received = (received + data).split(b"\n")
            words += [line.decode() for line in lines]
        # The end of the pipe alone does not tell: workers that the training has forked hold
        # its other end, too, and may outlive it.
        if os.getppid() != parent:
            _let_go()
            return None
        return words

    return read


def _let_go() -> None:
    """Leave the parent's output alone: who reads it shall not wait for the window."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    # Descriptor 2 is shared with the parent, whose reader, such as `tee`, waits until the
    # last holder has closed it.
    os.dup2(nowhere, 2)
    os.close(nowhere)


def main(location: str, run_id: str, layout: str) -> int:
    """The program of a visualizer's window process; gives the exit code.

    Args:
        location: The store's database file.
        run_id: The run.
        layout: The configuration as JSON, with `backend` for the one to try first.
    """
    import contextlib  # noqa: PLC0415
    import json  # noqa: PLC0415
    import signal  # noqa: PLC0415

    # DuckDB 1.5 loads pandas, where there is one, to look at a query's parameter.
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]

    from stepwell.store import open_store  # noqa: PLC0415
    from stepwell.viz.config.config_json import config_of  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the training's
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    values = json.loads(layout)
    config = config_of(values)
    commands = commands_from(0)
    parent = os.getppid()

    def show() -> bool:
        with open_store(location, seconds=_QUESTION_SECONDS) as store:
            return watch_in_window(
                store,
                run_id,
                config,
                is_asked_for=False,
                stay=config.keep_window,
                backend=values.get("backend"),
                commands=commands,
            )

    try:
        # A program that folds or queries may hold the store for longer than one opening
        # waits. The window tries on for as long as its training lives.
        while True:
            try:
                shown = show()
                break
            except StoreBusyError:
                if os.getppid() != parent:
                    raise
    except StepwellError as error:
        say(f"stepwell: the live window ended: {error}", sys.stderr)
        return FAILED
    return 0 if shown else NO_WINDOW
