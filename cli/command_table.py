"""The commands by name, each imported when it is asked for."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click

SECTIONS = {
    "Look": {
        "ls": "List the runs, newest first.",
        "show": "Show one run: state, configuration, metrics.",
        "watch": "Follow runs live, in the terminal or a window.",
        "best": "Rank the runs by a metric.",
        "compare": "Set two runs side by side.",
        "diff": "Show where two configurations differ.",
        "sql": "Ask the store in SQL.",
    },
    "Draw": {
        "plot": "Draw a run, or a metric of many runs.",
        "sweep": "Draw the plots of a sweep, a picture each.",
        "report": "Draw one page about a sweep.",
        "figure": "Keep figures by name, and list them.",
        "replot": "Draw a kept figure or a picture again.",
    },
    "Change": {
        "tag": "Give a run tags, or take them away.",
        "note": "Set a run's notes.",
        "rename": "Give a run another name.",
        "rm": "Remove runs for good; asks first.",
    },
    "Look after the store": {
        "export": "Write runs and points as CSV or Parquet.",
        "copy": "Copy a store, also a live one.",
        "merge": "Take the runs of other stores.",
        "compact": "Make the database smaller and faster.",
        "doctor": "Examine a store, and say what to do.",
        "repair": "Save what can be read of a damaged store.",
        "upgrade": "Bring a store of an earlier version to this one.",
    },
}
"""The commands as the help lists them; so it need not import them."""

_ROOMS = {
    "run_commands": "best compare edit export ls rm show sql watch",
    "figure_commands": "figure plot replot sweep",
    "store_commands": "compact copy doctor merge repair upgrade",
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names.split()}
_SHARED_MODULES = {
    "diff": "compare",
    "note": "edit",
    "rename": "edit",
    "report": "sweep",
    "tag": "edit",
}


class Commands(MutableMapping[str, click.Command]):
    """A group's commands: one that runs does not wait for the others to be imported."""

    def __init__(self) -> None:
        names = sorted(name for section in SECTIONS.values() for name in section)
        self._names = {name: _SHARED_MODULES.get(name, name) for name in names}
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            from .completion import complete_names  # noqa: PLC0415

            stem = self._names[name]
            module = import_module(f"stepwell.cli.{_ROOM_OF[stem]}.{stem}")
            command = getattr(module, name)
            # Each command as it is loaded: doing all would import all.
            complete_names(command)
            self._loaded[name] = command
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._names.setdefault(name, "")
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._names[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
