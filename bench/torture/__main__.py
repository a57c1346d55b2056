"""One process of a torture: `python -m torture KIND NAME [STORE or SECONDS]`."""

import sys
import warnings
from pathlib import Path

from stepwell.store import StoreBusyError

from ._plants import plant
from ._setting import of_environment

WRITERS = {"plain", "clock", "threads", "fork", "spawn", "full", "brief"}
_READERS = {"view": "view", "query": "query", "fold": "fold_and_die", "compact": "compact"}


def main() -> None:
    """Do what the command line says."""
    setting = of_environment()
    kind, name, *rest = sys.argv[1:]
    if kind in WRITERS:
        from ._writers import prepare, write  # noqa: PLC0415 (writers load no DuckDB)

        prepare(setting)
        default = setting.full_store if kind == "full" else setting.store
        write(setting, kind, name, Path(rest[0]) if rest else default)
        return
    from . import _readers  # noqa: PLC0415

    plant(setting)
    warnings.simplefilter("ignore")  # what readers miss is found by what they give
    draw = setting.draw(name)
    try:
        if kind == "open":
            _readers.open_old(setting, Path(rest[0]))
        elif kind == "hold":
            _readers.hold(setting, float(rest[0]))
        elif kind in {"migrate", "copy"}:
            getattr(_readers, kind)(setting, draw, name)
        else:
            getattr(_readers, _READERS[kind])(setting, draw)
    except StoreBusyError:
        setting.count("waits in vain")


if __name__ == "__main__":
    main()
