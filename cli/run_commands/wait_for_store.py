"""Waiting for a store that a training has yet to make."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stepwell.cli import options as shared
from stepwell.cli import output

if TYPE_CHECKING:
    from stepwell.store import Store

_PAUSE = 0.25  # seconds between two looks


def awaited_store(ctx: click.Context, location: Path | None) -> "Store":
    """The store that a command is to read, once it is there and has a run.

    Raises:
        StoreLocationError: No store can be there.
    """
    from stepwell.store import locate_store  # noqa: PLC0415 (a part of the store)

    found = locate_store(location or ctx.obj)
    if found.exists() and (store := shared.store_of(ctx, location)).runs(limit=1):
        return store
    output.say(f"waiting for a run in {found}; Ctrl-C ends it", err=True)
    while not found.exists():
        time.sleep(_PAUSE)
    store = shared.store_of(ctx, location)
    while not store.runs(limit=1):
        time.sleep(_PAUSE)
    return store
