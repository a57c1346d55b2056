"""A window that follows a run of a store."""

from dataclasses import replace
from typing import TYPE_CHECKING

from stepwell.viz.figures.run_figure import config_for_run

from .process_main import watch_in_window

if TYPE_CHECKING:
    from stepwell.store import Store


def watch_run(
    store: "Store", run_reference: str, *, stay: bool = True, theme: str | None = None
) -> bool:
    """Show a run's own figure in a window, and keep it up to date while the run goes on.

    Args:
        store: Where the run is.
        run_reference: An id, a unique prefix of one, a name, or "last".
        stay: Whether the window stays, with the final picture, when the run has ended.
        theme: "light" or "dark"; the run's own when absent.

    Returns:
        Whether a window could be opened; if not, it was said why.

    Raises:
        RunNotFoundError: There is no such run.
    """
    info = store.run(run_reference)
    config = config_for_run(store, info, None)
    if theme is not None:
        config = replace(config, theme=theme)
    return watch_in_window(store, info.run_id, config, stay=stay)
