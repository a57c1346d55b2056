"""Parts of a configuration as they are shown: like dicts and lists, but read-only."""

from typing import Any, NoReturn

_MUTATORS = (
    "__delitem__ __iadd__ __imul__ __ior__ __setitem__ append clear extend insert pop"
    " popitem remove reverse setdefault sort update"
).split()


class _Frozen:
    """Refuses what would change a part of a configuration, and be recorded nowhere."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(
            "a part of a run's config can't be changed, which would be recorded nowhere;"
            " set its whole key, as in run.config['model'] = {'depth': 3}"
        )


for _name in _MUTATORS:
    setattr(_Frozen, _name, _Frozen._refuse)  # noqa: SLF001 (this module's own)


class FrozenDict(_Frozen, dict[str, Any]):
    """A dict that refuses to be changed; a copy of it is a plain one."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class FrozenList(_Frozen, list[Any]):
    """A list that refuses to be changed; a copy of it is a plain one."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


def frozen(value: Any) -> Any:
    """A JSON value whose parts can't be changed."""
    if isinstance(value, dict):
        return FrozenDict({key: frozen(inner) for key, inner in value.items()})
    if isinstance(value, list):
        return FrozenList(map(frozen, value))
    return value
