"""The commands by name, each imported when it is asked for."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click

_MODULES = {
    "best": "_best",
    "compact": "_compact",
    "compare": "_compare",
    "copy": "_copy",
    "diff": "_compare",
    "doctor": "_doctor",
    "export": "_export",
    "figure": "_figure",
    "ls": "_ls",
    "merge": "_merge",
    "note": "_change",
    "plot": "_plot",
    "rename": "_change",
    "repair": "_repair",
    "replot": "_replot",
    "report": "_sweep",
    "rm": "_rm",
    "show": "_show",
    "sql": "_sql",
    "sweep": "_sweep",
    "tag": "_change",
    "upgrade": "_upgrade",
    "watch": "_watch",
}


class Commands(MutableMapping[str, click.Command]):
    """A group's commands: one that runs does not wait for the others to be imported."""

    def __init__(self) -> None:
        self._names = dict(_MODULES)
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            from ._completion import complete_names  # noqa: PLC0415

            module = import_module(f".{self._names[name]}", __package__)
            command = getattr(module, name)
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
