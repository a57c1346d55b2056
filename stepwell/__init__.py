"""Track training runs in one local file: no server, no account.

This module is the public face: what a training script needs, and nothing that is slow to
import. The visualizers are in `stepwell.training_viz`.
"""

import sys
from typing import TYPE_CHECKING, Any

from stepwell.store import MetricWarning, StepwellError, StoreWarning

if TYPE_CHECKING:
    from stepwell.store import Selection, Store, open_store
    from stepwell.viz import DualVisualizationSystem


def _may_begin_runs() -> bool:
    """False in the command `stepwell`, and in helper processes, which take its name."""
    return not sys.argv or sys.argv[0].rpartition("/")[2] != "stepwell"


if TYPE_CHECKING or _may_begin_runs():  # so that the first run waits for no import
    from stepwell.store import Run, active_run, init, start_run

__all__ = [
    "DualVisualizationSystem",
    "MetricWarning",
    "Run",
    "Selection",
    "StepwellError",
    "Store",
    "StoreWarning",
    "active_run",
    "init",
    "open_store",
    "start_run",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"} - {"Any", "TYPE_CHECKING", "sys"})


def __getattr__(name: str) -> Any:
    if name in __all__ and name != "DualVisualizationSystem":
        from stepwell import store  # noqa: PLC0415 (each part when it is used)

        return getattr(store, name)
    if name == "DualVisualizationSystem":
        from stepwell import viz  # noqa: PLC0415 (nothing that only records needs it)

        return viz.DualVisualizationSystem
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        try:
            return version("stepwell")
        except PackageNotFoundError:
            return "0+unknown"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
