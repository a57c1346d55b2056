"""Persistence: the one place that knows SQL and the journal.

Nothing slow is imported until it is needed: a training loop that only records never loads
DuckDB or numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .base.errors import (
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
from .base.signal_exceptions import raise_if_of_handler
from .base.visible_text import visible
from .inputs.metrics import PLAIN as PLAIN_NUMBERS
from .inputs.metrics import clean_metrics, shown
from .process_end import main_thread  # noqa: F401 (for the main thread to have loaded it)

if TYPE_CHECKING:
    from .doctor.examine import examine
    from .files.links import file_to_replace
    from .maintenance.compact import CompactedStore, compact_store
    from .maintenance.copy import CopiedStore, copy_store
    from .maintenance.export import ExportedRuns, write_result
    from .maintenance.merge import MergedStore, merge_stores
    from .maintenance.remove_runs import RemovedRuns
    from .maintenance.upgrade import UpgradedStore, upgrade_store
    from .open import locate_store, open_store
    from .process_end.end_status import End, describe_end
    from .process_end.sigterm import before_termination
    from .queries.name_completion import known_names
    from .queries.running_downsample import RunningReduction
    from .recording.active_run import active_run, run_to_join
    from .recording.open_runs import end_by_now
    from .recording.recorder import Recorder
    from .recording.run import Run
    from .recording.start import init, start_run
    from .repair.repair import RepairedStore, repair_store
    from .store import Store
    from .sweeps.goal import better_side, metric_words
    from .values.comparison import Comparison, ConfigRow, MetricRow
    from .values.figure_spec import FigureRuns, FigureSpec, KeptFigure
    from .values.finding import Finding
    from .values.metric_summary import MetricSummary
    from .values.run_info import RunInfo
    from .values.run_overview import RunOverview
    from .values.selection import Runs, Selection, as_selection
    from .values.series import News, ReducedSeries, Series
    from .values.sql_result import SqlResult
    from .values.sweep import (
        Groups,
        Importance,
        Leaderboard,
        ProbabilityBetter,
        RunCurve,
        SweepData,
        SweepTable,
    )

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
    "shown",
    "start_run",
    "upgrade_store",
    "visible",
    "write_result",
]


_LAZY = {
    "CompactedStore": "maintenance.compact",
    "Comparison": "values.comparison",
    "ConfigRow": "values.comparison",
    "CopiedStore": "maintenance.copy",
    "End": "process_end.end_status",
    "ExportedRuns": "maintenance.export",
    "FigureRuns": "values.figure_spec",
    "FigureSpec": "values.figure_spec",
    "Finding": "values.finding",
    "Groups": "values.sweep",
    "Importance": "values.sweep",
    "KeptFigure": "values.figure_spec",
    "Leaderboard": "values.sweep",
    "MergedStore": "maintenance.merge",
    "MetricRow": "values.comparison",
    "MetricSummary": "values.metric_summary",
    "News": "values.series",
    "ProbabilityBetter": "values.sweep",
    "Recorder": "recording.recorder",
    "ReducedSeries": "values.series",
    "RemovedRuns": "maintenance.remove_runs",
    "RepairedStore": "repair.repair",
    "Run": "recording.run",
    "RunCurve": "values.sweep",
    "RunInfo": "values.run_info",
    "RunOverview": "values.run_overview",
    "RunningReduction": "queries.running_downsample",
    "Runs": "values.selection",
    "Selection": "values.selection",
    "Series": "values.series",
    "SqlResult": "values.sql_result",
    "Store": "store",
    "SweepData": "values.sweep",
    "SweepTable": "values.sweep",
    "UpgradedStore": "maintenance.upgrade",
    "active_run": "recording.active_run",
    "as_selection": "values.selection",
    "before_termination": "process_end.sigterm",
    "better_side": "sweeps.goal",
    "compact_store": "maintenance.compact",
    "copy_store": "maintenance.copy",
    "describe_end": "process_end.end_status",
    "end_by_now": "recording.open_runs",
    "examine": "doctor.examine",
    "file_to_replace": "files.links",
    "fork_query_process": "user_sql.start_process",
    "init": "recording.start",
    "known_names": "queries.name_completion",
    "locate_store": "open",
    "load_duckdb": "database.load_duckdb",
    "merge_stores": "maintenance.merge",
    "metric_words": "sweeps.goal",
    "open_store": "open",
    "repair_store": "repair.repair",
    "run_to_join": "recording.active_run",
    "start_run": "recording.start",
    "upgrade_store": "maintenance.upgrade",
    "write_result": "maintenance.export",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
