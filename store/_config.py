"""A run's configuration, as plain JSON values."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ._errors import ConfigurationError

_DEEPEST = 64


def plain_config(config: Any) -> dict[str, Any]:
    """A configuration as a dict of JSON values.

    Args:
        config: A mapping, a dataclass instance, an object with attributes (such as
            `argparse.Namespace`), or None.

    Raises:
        ConfigurationError: If it is none of these, or nested without end.
    """
    if config is None:
        return {}
    if hasattr(type(config), "__dataclass_fields__"):
        config = _fields(config)
    elif not isinstance(config, Mapping) and hasattr(config, "__dict__"):
        config = vars(config)
    if not isinstance(config, Mapping):
        kind = type(config).__name__
        raise ConfigurationError(f"config must be a dict or a namespace, not {kind}")
    return {_encodable(str(key)): plain_value(value) for key, value in config.items()}


def plain_value(value: Any, depth: int = 0) -> Any:  # noqa: PLR0911 (a type a line)
    """One value as JSON can hold it; what JSON has no form for becomes its text."""
    if depth > _DEEPEST:
        raise ConfigurationError(f"config is nested more than {_DEEPEST} levels deep")
    if value is None or isinstance(value, (bool, str)):
        return _encodable(value) if isinstance(value, str) else value
    if isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**64 else _digits(int(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, Mapping):
        return {
            _encodable(str(key)): plain_value(inner, depth + 1)
            for key, inner in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain_value(inner, depth + 1) for inner in value]
    if hasattr(type(value), "__dataclass_fields__"):
        return plain_value(_fields(value), depth + 1)
    return _plain_object(value, depth)


def _fields(value: Any) -> dict[str, Any]:
    # Not dataclasses.asdict: it copies, and not everything can be copied.
    from dataclasses import fields  # noqa: PLC0415 (slow to import)

    return {field.name: getattr(value, field.name, None) for field in fields(value)}


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # more digits than Python writes in decimal
        return hex(value)


def _plain_object(value: Any, depth: int) -> Any:
    for method in ("item", "tolist"):
        convert = getattr(value, method, None)
        if callable(convert):
            try:
                converted = convert()
            except Exception:  # noqa: BLE001 (a value's own code may raise anything)
                continue
            if type(converted) is not type(value):
                return plain_value(converted, depth + 1)
    try:
        return _encodable(str(value))
    except Exception:  # noqa: BLE001
        return f"<{type(value).__name__}>"


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "�")


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys as `outer.inner`; lists stay whole."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat


class Config(Mapping[str, Any]):
    """A run's configuration. Setting a key records the change with the run.

    Args:
        values: Plain JSON values.
        changed: Called with the keys and values that were set.
    """

    def __init__(
        self, values: dict[str, Any], changed: Callable[[dict[str, Any]], None]
    ) -> None:
        self._values = values
        self._changed = changed

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Config({self._values!r})"

    def update(self, config: Any = None, **values: Any) -> None:
        """Set several keys: from a mapping, a dataclass or a namespace, or by name.

        Raises:
            ConfigurationError: If *config* is none of these.
        """
        new = plain_config(config) | plain_config(values)
        self._values.update(new)
        self._changed(new)
