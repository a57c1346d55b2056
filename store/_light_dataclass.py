"""Data classes with slots, without what it takes to load and use `dataclasses`.

That module loads `inspect`, and compiles six methods a class: a fifth of what a question
costs in a fresh process. Here a class gets its `__init__` with its first instance, and
what `dataclasses` wants to know of it (for `fields`, `replace`, `asdict`) when it asks.
A class derives its fields from no other one.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

__all__ = ["dataclass", "field", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:

    def dataclass(*, slots, frozen=False, eq=True, init=True):
        """As that of `dataclasses`, with slots."""
        return lambda kind: _made(kind, frozen=frozen, eq=eq, init=init)

    def field(*, default_factory):
        """A field whose default is made for each instance."""
        return _EachAnew(default_factory)

    def replace(value, /, **changes):
        """A value like another one but for some fields."""
        kind = type(value)
        same = {name: getattr(value, name) for name in kind.__match_args__}
        return kind(**same | changes)


_FIELDS, _PARAMS = "__dataclass_fields__", "__dataclass_params__"
_set = object.__setattr__  # which sets a field of a frozen value, too
_absent = object()


class _EachAnew(NamedTuple):
    """A default that is made for each instance."""

    factory: Callable[[], object]


class _Plan(NamedTuple):
    """What is known of a class before it has methods."""

    kind: type
    names: tuple[str, ...]
    defaults: dict[str, Any]
    frozen: bool
    eq: bool
    init: bool


def _made(kind: type, *, frozen: bool, eq: bool, init: bool) -> Any:
    """A class like *kind* that holds values; slots cannot be added to one that is there."""
    known = {k: v for k, v in vars(kind).items() if k not in {"__dict__", "__weakref__"}}
    names = tuple(kind.__annotations__)
    defaults = {name: known.pop(name) for name in names if name in known}
    plan = _Plan(kind, names, defaults, frozen, eq, init)
    methods = {"__repr__": _repr_of(names), "__match_args__": names}
    methods |= {name: _Late(name, plan) for name in (_FIELDS, _PARAMS)}
    if init:
        methods["__signature__"] = _Late("", plan)
    if eq:
        methods |= _comparing(names, frozen=frozen)
    if frozen:
        methods |= _freezing(names)
    made: Any = type(kind)(
        kind.__name__, kind.__bases__, methods | known | {"__slots__": names}
    )
    made.__qualname__ = kind.__qualname__
    if init:
        made.__init__ = _first_init(made, plan)
    return made


def _first_init(made: Any, plan: _Plan) -> Callable[..., None]:
    """An `__init__` that makes the class's own when it is called first."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        made.__init__ = _compiled_init(made, plan)
        made.__init__(self, *args, **kwargs)

    return __init__


def _compiled_init(made: Any, plan: _Plan) -> Callable[..., None]:
    given: dict[str, Any] = {"_absent": _absent}
    heads, body = ["self"], []
    for name in plan.names:
        given[f"_set_{name}"] = made.__dict__[name].__set__  # of a frozen value, too
        default = plan.defaults.get(name, _absent)
        value = name
        if isinstance(default, _EachAnew):
            given[f"_new_{name}"], default = default.factory, _absent
            value = f"_new_{name}() if {name} is _absent else {name}"
        given[f"_default_{name}"] = default
        heads.append(f"{name}=_default_{name}" if name in plan.defaults else name)
        sets = f"_set_{name}(self, {value})" if plan.frozen else f"self.{name} = {value}"
        body.append(f" {sets}")
    if hasattr(made, "__post_init__"):
        body.append(" self.__post_init__()")
    exec(f"def __init__({', '.join(heads)}):\n" + "\n".join(body), given)
    init: Callable[..., None] = given["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__annotations__ = {**plan.kind.__annotations__, "return": None}
    return init


def _values_of(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    return attrgetter(*names) if len(names) > 1 else lambda it: (getattr(it, *names),)


def _repr_of(names: tuple[str, ...]) -> Callable[[Any], str]:
    def __repr__(self: Any) -> str:  # noqa: N807
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({shown})"

    return __repr__


def _comparing(names: tuple[str, ...], *, frozen: bool) -> dict[str, Any]:
    values = _values_of(names)

    def __eq__(self: Any, other: object) -> bool:  # noqa: N807
        if other.__class__ is not self.__class__:
            return NotImplemented
        return values(self) == values(other)

    def __hash__(self: Any) -> int:  # noqa: N807
        return hash(values(self))

    return {"__eq__": __eq__, "__hash__": __hash__ if frozen else None}


def _freezing(names: tuple[str, ...]) -> dict[str, Any]:
    def refuse(what: str, name: str) -> None:
        from dataclasses import FrozenInstanceError  # noqa: PLC0415 (slow to import)

        raise FrozenInstanceError(f"cannot {what} field {name!r}")

    def __setattr__(self: Any, name: str, value: object) -> None:  # noqa: N807
        refuse("assign to", name)

    def __delattr__(self: Any, name: str) -> None:  # noqa: N807
        refuse("delete", name)

    def __getstate__(self: Any) -> list[Any]:  # noqa: N807
        return [getattr(self, name) for name in names]

    def __setstate__(self: Any, state: list[Any]) -> None:  # noqa: N807
        for name, value in zip(names, state, strict=True):
            _set(self, name, value)

    functions = (__setattr__, __delattr__, __getstate__, __setstate__)
    return {function.__name__: function for function in functions}


class _Late:
    """What the real `dataclasses` makes of a class; made when it is asked for.

    Args:
        name: Of the class's attribute; the signature, where it is empty.
        plan: The class.
    """

    def __init__(self, name: str, plan: _Plan) -> None:
        self._name = name
        self._plan = plan
        self._found: Any = None

    def __get__(self, instance: object, owner: type) -> Any:
        if not self._name and owner.__qualname__ != self._plan.kind.__qualname__:
            raise AttributeError("__signature__")  # of a class that derives from it
        if self._found is None:
            self._found = self._made()
        return self._found

    def _made(self) -> Any:
        import dataclasses  # noqa: PLC0415 (slow to import)
        import inspect  # noqa: PLC0415 (the same)

        kind, names, defaults, frozen, eq, init = self._plan
        annotations, fields = kind.__annotations__, []
        for name in names:
            default = defaults.get(name, dataclasses.MISSING)
            if isinstance(default, _EachAnew):
                made = dataclasses.field(default_factory=default.factory)
            else:
                made = dataclasses.field(default=default)
            fields.append((name, annotations[name], made))
        twin = dataclasses.make_dataclass(
            kind.__name__, fields, frozen=frozen, eq=eq, init=init
        )
        return getattr(twin, self._name) if self._name else inspect.signature(twin)
