"""A run's configuration: the one that can be set, and its names when it is flat."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stepwell.store.base.errors import StoreWarning
from stepwell.store.base.warn_caller import warn_caller

from .frozen_values import frozen
from .json_values import free_key, plain_config


def flatten(config: Mapping[str, Any]) -> dict[str, Any]:
    """Nested keys as `outer.inner`; lists stay whole.

    Of two keys of one name, as of `{"a.b": 1, "a": {"b": 2}}`, the second is `a.b#2`.
    """
    flat: dict[str, Any] = {}
    for name, value in _named(config, ""):
        flat[free_key(name, flat)] = value
    return flat


def _named(config: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _named(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


class Config(Mapping[str, Any]):
    """A run's configuration. Setting a key, or an attribute, records the change.

    Args:
        values: Plain JSON values.
        record: Called with the keys and values that are set; says whether they could be.
    """

    __slots__ = ("_record", "_said", "_values")

    _record: Callable[[dict[str, Any]], bool]
    _said: set[str]
    _values: dict[str, Any]

    def __init__(
        self, values: dict[str, Any], record: Callable[[dict[str, Any]], bool]
    ) -> None:
        own = {"_values": values, "_record": record, "_said": set()}
        # Past this class's own way of setting attributes, which sets keys.
        for name, value in own.items():
            object.__setattr__(self, name, value)
        self._say_clashes()

    def __getitem__(self, key: str) -> Any:
        return frozen(self._values[key])

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __getattr__(self, name: str) -> Any:
        # The slots first: where one is still empty, as while a copy is made, looking for
        # `_values` would end up here again, and so on.
        if name in Config.__slots__ or name not in self._values:
            raise AttributeError(f"the run's config has no {name!r}")
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(Config, name):
            raise AttributeError(
                f"{name!r} is a part of Config itself; write config[{name!r}] = …"
            )
        self.update({name: value})

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Config({self._values!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self._values),)  # a copy is no way to the run

    def update(
        self, config: Any = None, allow_val_change: bool | None = None, **values: Any
    ) -> None:
        """Set several keys: from a mapping, a dataclass or a namespace, or by name.

        Args:
            config: The keys and values.
            allow_val_change: Taken as it is elsewhere, and never a key: a value may
                always be changed.
            **values: Further ones.

        Raises:
            ConfigurationError: If *config* is none of these.
        """
        new = plain_config(config) | plain_config(values)
        if new and self._record(new):
            self._values.update(new)
            self._say_clashes()

    def _say_clashes(self) -> None:
        names: dict[str, Any] = {}
        clashing = []
        for name, value in _named(self._values, ""):
            free = free_key(name, names)
            names[free] = value
            if free != name and name not in self._said:
                clashing.append(f"{name!r} is the name of two keys, the second is {free!r}")
                self._said.add(name)
        if clashing:
            message = f"config: {'; '.join(clashing[:5])}, where it is flat"
            warn_caller(message, StoreWarning)
