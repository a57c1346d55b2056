"""Names that a shell may complete: quick, from what is folded, and never an error."""

from contextlib import suppress
from pathlib import Path

import duckdb

from stepwell.store.base.errors import StoreError
from stepwell.store.database.attach import looking
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import existing

_QUERIES = {
    "run": "select name, run_id::varchar, status from runs"
    " order by created_at desc nulls last, run_id desc limit 1000",
    "metric": "select distinct metric, '', '' from totals_ order by metric limit 1000",
    "project": "select distinct project, '', '' from runs where project is not null"
    " order by project limit 1000",
    "group": "select distinct group_name, '', '' from runs where group_name is not null"
    " order by group_name limit 1000",
    "tag": "select distinct unnest(tags) as tag, '', '' from runs order by tag limit 1000",
    "figure": "select name, '', kind from figures order by name limit 1000",
}


def known_names(
    kind: str, location: Path | str | None = None, *, seconds: float = 0.5
) -> list[tuple[str, str, str]]:
    """Names of a kind that a store has, for completion; nothing is folded or written.

    Args:
        kind: `run`, `metric`, `project`, `group`, `tag` or `figure`.
        location: Where the store is; see `open_store`.
        seconds: How long a writer is waited for.

    Returns:
        Name, id and status of each; runs newest first. Empty where there is no store, or
        it cannot be read in time.
    """
    with suppress(StoreError, OSError, duckdb.Error):
        found = existing(location)
        lease = lease_of(found)
        with looking(found, seconds), lease.attached(0, "READ_ONLY") as store:
            lease.guard.make_views(store)
            rows = store.execute(_QUERIES[kind]).fetchall()
        return [(str(name), str(run_id), str(status)) for name, run_id, status in rows]
    return []
