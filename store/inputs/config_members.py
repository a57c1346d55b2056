"""What a value of a configuration consists of, told without loading what made it."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, NamedTuple

_WHOLE = (str, bytes, bytearray, memoryview, range)  # sequences that are one value
_NAMESPACES = {("argparse", "Namespace"), ("pydantic.main", "BaseModel")}
_OF_A_HOLDER = {"__init__", "__post_init__"}  # what a class that only holds values does


class Members(NamedTuple):
    """What a value consists of.

    Attributes:
        keys: The names, or places, of its parts.
        get: Gives the part of a key; may raise anything.
    """

    keys: Iterable[Any]
    get: Callable[[Any], Any]


def members_of(value: Any) -> Members | None:
    """The named parts of a mapping, or of an instance of a class with fields.

    Such are data classes, named tuples, classes of attrs and pydantic, namespaces, and
    classes that do nothing but hold values. None for all others.
    """
    kind = type(value)
    if isinstance(value, Mapping) or _is_like_a_mapping(kind):
        return Members(list(value.keys()), value.__getitem__)
    names = _fields(value, kind)
    if names is not None:
        return Members(names, lambda name: getattr(value, name, None))
    if _is_namespace(kind) or _is_holder(kind):
        return attributes_of(value)
    return None


def attributes_of(value: Any) -> Members | None:
    """The attributes of an object, a class or a module; None for what has none."""
    if isinstance(value, FunctionType) or not hasattr(value, "__dict__"):
        return None
    is_program = isinstance(value, (type, ModuleType))
    classes = value.__mro__ if isinstance(value, type) else type(value).__mro__
    found: dict[str, Any] = {}
    for known in [value] if isinstance(value, ModuleType) else reversed(classes):
        found |= {name: v for name, v in vars(known).items() if _is_set(name, v)}
    if not is_program:
        found |= vars(value) | (getattr(value, "__pydantic_extra__", None) or {})
    return Members(found, found.__getitem__)


def elements_of(value: Any) -> Members | None:
    """The elements of a list or a set of any kind; None for all others."""
    if isinstance(value, (list, tuple, Set)):
        items = list(value)
        return Members(range(len(items)), items.__getitem__)
    if isinstance(value, Sequence) and not isinstance(value, _WHOLE):
        return Members(range(len(value)), value.__getitem__)
    return None


def _is_like_a_mapping(kind: type) -> bool:
    # What has a shape, such as a data frame, is a table.
    return all(hasattr(kind, name) for name in ("keys", "__getitem__")) and not (
        hasattr(kind, "shape") or issubclass(kind, type)
    )


def _fields(value: Any, kind: type) -> list[str] | None:
    if hasattr(kind, "__dataclass_fields__"):
        # Not dataclasses.asdict: it copies, and not everything can be copied.
        from dataclasses import fields  # noqa: PLC0415 (slow to import)

        return [field.name for field in fields(value)]
    if hasattr(kind, "__attrs_attrs__"):
        return [field.name for field in kind.__attrs_attrs__]
    # The fields of a named tuple, and of no other.
    return list(getattr(kind, "_fields", ())) or None if issubclass(kind, tuple) else None


def _is_namespace(kind: type) -> bool:
    return issubclass(kind, SimpleNamespace) or any(
        (known.__module__, known.__name__) in _NAMESPACES for known in kind.__mro__
    )


def _is_holder(kind: type) -> bool:
    """Whether a class only holds values: its objects have no text and do nothing."""
    texts: tuple[object, object] = kind.__repr__, kind.__str__
    return texts == (object.__repr__, object.__str__) and all(
        name in _OF_A_HOLDER
        for known in kind.__mro__
        for name, value in vars(known).items()
        if isinstance(value, FunctionType)
    )


def _is_set(name: str, value: Any) -> bool:
    """Whether an attribute of a class or a module is a value, and no part of a program."""
    # What has `__get__` is a method, a property or a slot.
    is_code = isinstance(value, (type, ModuleType)) or hasattr(type(value), "__get__")
    return not (name.startswith("_") or is_code or callable(value))
