"""What a fold says of runs: how they began, what was changed, and how they stand."""

from itertools import groupby

from stepwell.store.journal.writer_alive import how_it_crashed

from .run_rows import RunRows, from_nanoseconds
from .segment import GONE, Stretch


def describe_runs(rows: RunRows, stretches: list[Stretch]) -> None:
    """Apply what stretches say of their runs, attempt after attempt.

    Args:
        rows: The rows of the runs.
        stretches: What was read, by run and then by attempt.
    """
    for _, found in groupby(stretches, lambda s: (s.header.run_id, s.header.number)):
        attempt = list(found)
        for stretch in attempt:
            # All starts of an attempt come before any change: a start sets name, tags and
            # notes, and would undo what another writer of the same attempt has changed.
            if stretch.piece.started is not None:
                started, goes_on = stretch.piece.started, stretch.goes_on_elsewhere
                rows.start(stretch.header, started, goes_on_elsewhere=goes_on)
        for stretch in attempt:
            _apply(rows, stretch)
            _end(rows, stretch)


def _apply(rows: RunRows, stretch: Stretch) -> None:
    header, piece = stretch.header, stretch.piece
    rows.get(header)
    for fields in piece.changes:
        rows.change(header, fields)


def _end(rows: RunRows, stretch: Stretch) -> None:
    header, piece = stretch.header, stretch.piece
    heartbeat = from_nanoseconds(int(stretch.journal.heartbeat * 1e9))
    if piece.finished is not None and piece.is_last:
        at = from_nanoseconds(int(piece.finished.get("time", 0)))
        rows.end(header, stretch.ended or "finished", piece.finished.get("message"), at)
    elif stretch.next_is_lost:
        rows.end(header, "crashed", GONE, heartbeat)
    elif stretch.goes_on_elsewhere:
        pass  # the next file says how the run stands
    elif stretch.alive:
        rows.end(header, "running", None, None)
    # Before the last piece nothing is known of a dead writer: the rest may say how it
    # ended.
    elif stretch.piece.is_last:
        rows.end(header, "crashed", how_it_crashed(header), heartbeat)
