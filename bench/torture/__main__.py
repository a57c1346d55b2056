"""One process of a torture: `python -m torture KIND NAME [STORE or SECONDS]`."""

import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from stepwell.store import StoreBusyError

from ._plants import plant
from ._setting import Setting, of_environment

WRITERS = set("plain clock threads fork spawn quiet full brief diverge again sweep".split())
_QUICK = -10
_READERS = {"view": "view", "query": "query", "fold": "fold_and_die", "compact": "compact"}
_ASKERS = {"ask", "look"}


def main() -> None:
    """Do what the command line says."""
    setting = of_environment()
    kind, name, *rest = sys.argv[1:]
    if kind in {"quiet", "fold"}:
        with suppress(OSError):  # the superuser's right
            os.nice(_QUICK)  # the others, which want all the cores, leave few turns
    if kind in WRITERS:
        _write(setting, kind, name, Path(rest[0]) if rest else None)
        return
    from . import _queries, _readers  # noqa: PLC0415

    plant(setting)
    warnings.simplefilter("ignore")  # what readers miss is found by what they give
    draw = setting.draw(name)
    try:
        if kind == "open":
            _readers.open_old(setting, Path(rest[0]))
        elif kind == "hold":
            _readers.hold(setting, float(rest[0]))
        elif kind in _ASKERS:
            getattr(_queries, kind)(setting, draw)
        elif kind in {"migrate", "copy"}:
            getattr(_readers, kind)(setting, draw, name)
        else:
            getattr(_readers, _READERS[kind])(setting, draw)
    except StoreBusyError:
        setting.count("waits in vain")


def _write(setting: Setting, kind: str, name: str, store: Path | None) -> None:
    from ._sweeps import sweep  # noqa: PLC0415 (writers load no DuckDB)
    from ._writers import prepare, write  # noqa: PLC0415

    if kind == "sweep":
        sweep(setting, name)
        return
    prepare(setting)
    apart = {"full": setting.full_store, "quiet": setting.quiet_store}
    write(setting, kind, name, store or apart.get(kind, setting.store))


if __name__ == "__main__":
    main()
