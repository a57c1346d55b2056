"""What several attempts at a run have said of one metric, and which of it is shown."""

from collections import Counter
from collections.abc import Callable

import duckdb

from ._calls import Calls
from ._ledger import Again, value_of

_KEPT = "select step, value from points where run_id = ?::uuid and metric = ?"
_SHOWN = "select step, value from metrics where run_id = ?::uuid and metric = ?"
_COUNT = "select count from summary where run_id = ?::uuid and metric = ?"

_Call = tuple[int, float]


class Attempts:
    """The attempts at one run, as their ledgers tell of them.

    Args:
        group: Their streams.
    """

    def __init__(self, group: list[Calls]) -> None:
        found = [(calls.said.again, calls) for calls in group if calls.said.again]
        self._attempts: list[tuple[Again, Calls]] = sorted(found, key=lambda one: one[0])
        self.metric = found[0][0].metric if found else ""

    def compare(
        self,
        connection: duckdb.DuckDBPyConnection,
        run_id: str,
        add: Callable[[str, int, str], None],
    ) -> int:
        """Say what is wrong; gives how many points of the metric there are."""

        def rows(query: str) -> list[_Call]:
            return connection.execute(query, [run_id, self.metric]).fetchall()

        kept, shown = Counter(rows(_KEPT)), Counter(rows(_SHOWN))
        must, may = self._kept()
        words = f"{self.metric} in {len(self._attempts)} attempts"
        add("lost", len(must - kept.keys()), words)
        add("twice", sum(count - 1 for count in kept.values()), words)
        add("invented", len(kept.keys() - may), words)
        must, may = self._shown()
        add("lost", len(must - shown.keys()), f"{words}, as they are shown")
        add("twice", sum(count - 1 for count in shown.values()), f"{words}, shown")
        add("invented", len(shown.keys() - may), f"{words}: shown, though superseded")
        summed = sum(
            count
            for (count,) in connection.execute(_COUNT, [run_id, self.metric]).fetchall()
        )
        add("invented", abs(summed - shown.total()), f"{words} in the summary")
        return kept.total()

    def _kept(self) -> tuple[set[_Call], set[_Call]]:
        must: set[_Call] = set()
        may: set[_Call] = set()
        for again, calls in self._attempts:
            must |= _calls(again, calls, calls.must.tolist())
            may |= _calls(again, calls, calls.may.tolist())
        return must, may

    def _shown(self) -> tuple[set[_Call], set[_Call]]:
        must: set[_Call] = set()
        may: set[_Call] = set()
        from_maybe = from_surely = 2**63  # where a later attempt begins, if it has
        for again, calls in reversed(self._attempts):
            for_sure = _calls(again, calls, calls.must.tolist())
            perhaps = _calls(again, calls, calls.may.tolist())
            must |= {call for call in for_sure if call[0] < from_maybe}
            may |= {call for call in perhaps if call[0] < from_surely}
            from_maybe = min([from_maybe, *(step for step, _ in perhaps)])
            from_surely = min([from_surely, *(step for step, _ in for_sure)])
        return must, may


def _calls(again: Again, calls: Calls, numbers: list[int]) -> set[_Call]:
    stream = calls.said.stream
    return {(again.first + number, value_of(stream, number)) for number in numbers}
