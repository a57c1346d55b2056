"""A configuration's values as JSON can hold them, whatever they are and do."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from math import isfinite
from typing import Any

from stepwell.store.base.errors import ConfigurationError, StoreWarning
from stepwell.store.base.signal_exceptions import raise_if_of_handler
from stepwell.store.base.warn_caller import warn_caller

from .config_members import Members, attributes_of, elements_of, members_of
from .metrics import lack_of, shown

_DEEPEST = 64  # levels
_MOST = 1_000_000  # values
_MOST_SAID = 5  # problems in one warning
_ABSENT = object()


def plain_config(config: Any) -> dict[str, Any]:
    """A configuration as a dict of JSON values.

    What cannot be read is said in one warning; the rest is kept.

    Args:
        config: A mapping, an instance of a class with fields, an object with attributes
            (such as `argparse.Namespace`), or None.

    Raises:
        ConfigurationError: If it is none of these.
    """
    if config is None:
        return {}
    reader = _Reader("config")
    found = reader.read_whole(config)
    reader.warn()
    return found


def plain_value(value: Any, what: str = "a value") -> Any:
    """One value as JSON can hold it; what JSON has no form for becomes its text.

    Args:
        value: Anything.
        what: How a warning of what cannot be read calls it.
    """
    reader = _Reader(what)
    found = reader.read(value, "")
    reader.warn()
    return found


def encodable(text: str) -> str:
    """*text* with a sign in place of what no file or database can hold."""
    return text.encode("utf-8", "replace").decode().replace("\0", "�")


def as_text(value: object) -> str:
    """The text of a value that a person gave, whatever its own code does."""
    try:
        return encodable(str(value))
    except Exception as error:  # noqa: BLE001 (a value's own code may raise anything)
        raise_if_of_handler(error)
        return f"<{type(value).__name__}>"


def free_key(key: str, taken: Mapping[str, Any]) -> str:
    """*key*, with a number where another has that name already."""
    free, number = key, 2
    while free in taken:
        free, number = f"{key}#{number}", number + 1
    return free


class _Reader:
    """Reads one configuration, and collects what of it cannot be read."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._problems: list[str] = []
        self._around: list[Any] = []  # the values that we are within
        self._count = 0

    def read_whole(self, config: Any) -> dict[str, Any]:
        """The members of a value that must have some.

        Raises:
            ConfigurationError: If it has none.
        """
        try:
            members = members_of(config) or attributes_of(config)
        except Exception as error:  # noqa: BLE001 (a value's own code may raise anything)
            raise_if_of_handler(error)
            self._problems.append(f"it can't be read ({shown(error, str)})")
            return {}
        if members is None:
            kind = type(config).__name__
            raise ConfigurationError(f"config must be a dict or a namespace, not {kind}")
        self._around.append(config)
        return self._read_members(members, "")

    def read(self, value: Any, place: str) -> Any:
        """One value; *place* is the path of its key. None where it cannot be read."""
        try:
            return self._read(value, place)
        except Exception as error:  # noqa: BLE001 (a value's own code may raise anything)
            raise_if_of_handler(error)
            self._say(place, f"can't be read ({shown(error, str)})")
            return None

    def warn(self) -> None:
        """Say the problems, in one warning."""
        more = len(self._problems) - _MOST_SAID
        said = self._problems[:_MOST_SAID] + ([f"and {more:,} more"] if more > 0 else [])
        if said:
            message = f"{self._what}: {'; '.join(said)}; the rest is recorded"
            warn_caller(message, StoreWarning)

    def _say(self, place: str, trouble: str) -> None:
        self._problems.append(f"{shown(place, str) or 'it'} {trouble}")

    def _read(self, value: Any, place: str) -> Any:
        self._count += 1
        if value is None or isinstance(value, (bool, str, int, float)):
            return _plain_scalar(value)
        if lack := lack_of(value):
            self._say(place, f"{lack}, and is None")
            return None
        if isinstance(value, Enum):
            return encodable(value.value if isinstance(value.value, str) else value.name)
        read: Callable[[Members, str], Any] = self._read_members
        members = members_of(value)
        if members is None:
            read, members = self._read_elements, elements_of(value)
        if members is None:
            return self._read_object(value, place)
        if not self._enter(value, place):
            return None
        try:
            return read(members, place)
        finally:
            self._around.pop()

    def _enter(self, value: Any, place: str) -> bool:
        if any(outer is value for outer in self._around):
            self._say(place, "leads back to what it is part of, and is None there")
        elif len(self._around) > _DEEPEST:
            self._say(place, f"is nested more than {_DEEPEST} levels deep, and is None")
        else:
            self._around.append(value)
            return True
        return False

    def _read_members(self, members: Members, place: str) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for key in self._affordable(members, place):
            name = as_text(key)
            path = f"{place}.{name}" if place else name
            value = self._member(members, key, path)
            if value is _ABSENT:
                continue
            if name in plain:
                name = free_key(name, plain)
                self._say(path, f"is there twice; the second is {name!r}")
            plain[name] = value
        return plain

    def _read_elements(self, elements: Members, place: str) -> list[Any]:
        found = [
            self._member(elements, number, f"{place}[{number}]")
            for number in self._affordable(elements, place)
        ]
        return [None if value is _ABSENT else value for value in found]

    def _member(self, members: Members, key: Any, path: str) -> Any:
        try:
            value = members.get(key)
        except Exception as error:  # noqa: BLE001 (such as a value that is still missing)
            raise_if_of_handler(error)
            self._say(path, f"can't be read ({shown(error, str)})")
            return _ABSENT
        return self.read(value, path)

    def _affordable(self, members: Members, place: str) -> Iterator[Any]:
        for key in members.keys:
            if self._count >= _MOST:
                self._say(place, f"holds what is beyond {_MOST:,} values, and is cut")
                return
            yield key

    def _read_object(self, value: Any, place: str) -> Any:
        for method in ("item", "tolist"):
            convert = getattr(value, method, None)
            if callable(convert):
                try:
                    converted = convert()
                except Exception as error:  # noqa: BLE001 (a value's own code may raise anything)
                    raise_if_of_handler(error)
                    continue
                if type(converted) is not type(value):
                    return self._read(converted, place)
        try:
            return encodable(str(value))
        except Exception as error:  # noqa: BLE001
            raise_if_of_handler(error)
            self._say(place, f"has no text ({shown(error, str)})")
            return f"<{type(value).__name__}>"


def _plain_scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**64 else _digits(int(value))
    return float(value) if isfinite(value) else str(float(value))


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python writes in decimal
        return hex(value)
