"""What any journal may hold: a store that takes it in would take in another journal's."""

import time
from pathlib import Path

from stepwell.store.base.ids import new_run_id, new_writer_id
from stepwell.store.journal.files import JournalFile
from stepwell.store.journal.format import (
    FINISHED,
    STARTED,
    Header,
    PointsShape,
    encode_json,
    encode_names,
    journal_name,
)
from stepwell.store.journal.reader import parse

from .segment import Stretch


def sample_stretches() -> list[Stretch]:
    """A run of one point that has ended, and one that goes on."""
    return [_stretch(is_over=is_over) for is_over in (True, False)]


def _stretch(*, is_over: bool) -> Stretch:
    now, shape = time.time_ns(), PointsShape(0, 1)
    started = {"name": "sample", "config": {"lr": 0.1}, "tags": ["a"], "time": now}
    data = encode_json(STARTED, started) + encode_names(0, ("loss",))
    data += shape.record(0, now, (1.0,))
    if is_over:
        end = {"status": "finished", "message": None, "time": now}
        data += encode_json(FINISHED, end)
    header = Header(
        new_run_id(), new_writer_id(), "sample", None, "", "", 0, 0, 0, 1, primary=True
    )  # of no machine, so that no process is looked for
    journal = JournalFile.named(Path(journal_name(header)), len(data), now / 1e9)
    return Stretch(journal, header, False, parse(data), False)
