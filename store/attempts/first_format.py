"""Attempts that journals of the first format tell by their numbers."""

from collections.abc import Iterable, Mapping

from stepwell.store.base.ids import attempt_id_of
from stepwell.store.journal.format import Header

from .rows import Writer


def identities_of_numbers(
    headers: Iterable[Header], known: Mapping[str, list[Writer]]
) -> dict[str, int]:
    """The identity of the attempt of each writer that tells a number, by writer.

    In one store a number was one attempt: of a process and the children that it forked.

    Args:
        headers: Headers of writers that are new to the store, of any format.
        known: The writers that the store knows, by run.
    """
    found: dict[tuple[str, int], int] = {}
    identities = {}
    # Primary writers first, as revision 0003 takes them: so copies of a store give an
    # attempt one identity, be its journals folded before an upgrade or after it.
    for header in sorted(headers, key=lambda header: (not header.primary, header.writer)):
        if header.format > 1:
            continue
        run_id, number = told = (header.run_id, header.number)
        if told not in found:
            of_others = (
                other.part.attempt
                for other in known.get(run_id, ())
                if other.part.attempt == attempt_id_of(run_id, number, other.writer)
            )
            found[told] = next(of_others, header.attempt)
        identities[header.writer] = found[told]
    return identities
