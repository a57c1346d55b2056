"""Persistence: the one place that knows SQL and the journal.

Nothing slow is imported until it is needed: a training loop that only records never loads
DuckDB or numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import _main_thread  # noqa: F401 (for the main thread to have loaded it)
from ._errors import (
    AmbiguousRunError,
    ConfigurationError,
    FigureNotFoundError,
    LookupFailedError,
    MetricNotFoundError,
    MetricWarning,
    QueryError,
    QueryTimeoutError,
    RunExistsError,
    RunGoesOnError,
    RunNotFoundError,
    StepwellError,
    StoreBusyError,
    StoreClosedError,
    StoreDamagedError,
    StoreError,
    StoreLocationError,
    StoreNewerError,
    StoreWarning,
)
from ._metrics import PLAIN as PLAIN_NUMBERS
from ._metrics import clean_metrics
from ._signals import raise_if_of_handler
from ._visible import visible

if TYPE_CHECKING:
    from ._active_run import active_run, run_to_join
    from ._better import better_side, metric_words
    from ._compact import CompactedStore, compact_store
    from ._comparison import Comparison, ConfigRow, MetricRow
    from ._copy import CopiedStore, copy_store
    from ._doctor import examine
    from ._end_status import End, describe_end
    from ._export import ExportedRuns, write_result
    from ._figure_spec import FigureRuns, FigureSpec, KeptFigure
    from ._finding import Finding
    from ._known_names import known_names
    from ._merge import MergedStore, merge_stores
    from ._open import locate_store, open_store
    from ._recorder import Recorder
    from ._regular import file_to_replace
    from ._removal import RemovedRuns
    from ._repair import RepairedStore, repair_store
    from ._run import Run
    from ._run_values import RunInfo, RunOverview
    from ._running import RunningReduction
    from ._selection import Runs, Selection, as_selection
    from ._session import end_by_now
    from ._sql_result import SqlResult
    from ._start import init, start_run
    from ._store import Store
    from ._sweep_values import (
        Groups,
        Importance,
        Leaderboard,
        ProbabilityBetter,
        RunCurve,
        SweepData,
        SweepTable,
    )
    from ._termination import before_termination
    from ._upgrade import UpgradedStore, upgrade_store
    from ._values import MetricSummary, News, ReducedSeries, Series

__all__ = [
    "PLAIN_NUMBERS",
    "AmbiguousRunError",
    "CompactedStore",
    "Comparison",
    "ConfigRow",
    "ConfigurationError",
    "CopiedStore",
    "End",
    "ExportedRuns",
    "FigureNotFoundError",
    "FigureRuns",
    "FigureSpec",
    "Finding",
    "Groups",
    "Importance",
    "KeptFigure",
    "Leaderboard",
    "LookupFailedError",
    "MergedStore",
    "MetricNotFoundError",
    "MetricRow",
    "MetricSummary",
    "MetricWarning",
    "News",
    "ProbabilityBetter",
    "QueryError",
    "QueryTimeoutError",
    "Recorder",
    "ReducedSeries",
    "RemovedRuns",
    "RepairedStore",
    "Run",
    "RunCurve",
    "RunExistsError",
    "RunGoesOnError",
    "RunInfo",
    "RunNotFoundError",
    "RunOverview",
    "RunningReduction",
    "Runs",
    "Selection",
    "Series",
    "SqlResult",
    "StepwellError",
    "Store",
    "StoreBusyError",
    "StoreClosedError",
    "StoreDamagedError",
    "StoreError",
    "StoreLocationError",
    "StoreNewerError",
    "StoreWarning",
    "SweepData",
    "SweepTable",
    "UpgradedStore",
    "active_run",
    "as_selection",
    "before_termination",
    "better_side",
    "clean_metrics",
    "compact_store",
    "copy_store",
    "describe_end",
    "end_by_now",
    "examine",
    "file_to_replace",
    "init",
    "known_names",
    "locate_store",
    "merge_stores",
    "metric_words",
    "open_store",
    "raise_if_of_handler",
    "repair_store",
    "run_to_join",
    "start_run",
    "upgrade_store",
    "visible",
    "write_result",
]


_LAZY = {
    "CompactedStore": "_compact",
    "Comparison": "_comparison",
    "ConfigRow": "_comparison",
    "CopiedStore": "_copy",
    "End": "_end_status",
    "ExportedRuns": "_export",
    "FigureRuns": "_figure_spec",
    "FigureSpec": "_figure_spec",
    "Finding": "_finding",
    "Groups": "_sweep_values",
    "Importance": "_sweep_values",
    "KeptFigure": "_figure_spec",
    "Leaderboard": "_sweep_values",
    "MergedStore": "_merge",
    "MetricRow": "_comparison",
    "MetricSummary": "_values",
    "News": "_values",
    "ProbabilityBetter": "_sweep_values",
    "Recorder": "_recorder",
    "ReducedSeries": "_values",
    "RemovedRuns": "_removal",
    "RepairedStore": "_repair",
    "Run": "_run",
    "RunCurve": "_sweep_values",
    "RunInfo": "_run_values",
    "RunOverview": "_run_values",
    "RunningReduction": "_running",
    "Runs": "_selection",
    "Selection": "_selection",
    "Series": "_values",
    "SqlResult": "_sql_result",
    "Store": "_store",
    "SweepData": "_sweep_values",
    "SweepTable": "_sweep_values",
    "UpgradedStore": "_upgrade",
    "active_run": "_active_run",
    "as_selection": "_selection",
    "before_termination": "_termination",
    "better_side": "_better",
    "compact_store": "_compact",
    "copy_store": "_copy",
    "describe_end": "_end_status",
    "end_by_now": "_session",
    "examine": "_doctor",
    "file_to_replace": "_regular",
    "fork_query_process": "_query_start",
    "init": "_start",
    "known_names": "_known_names",
    "locate_store": "_open",
    "load_duckdb": "_light_duckdb",
    "merge_stores": "_merge",
    "metric_words": "_better",
    "open_store": "_open",
    "repair_store": "_repair",
    "run_to_join": "_active_run",
    "start_run": "_start",
    "upgrade_store": "_upgrade",
    "write_result": "_export",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
