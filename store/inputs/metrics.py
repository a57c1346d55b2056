"""The rules of metric names, values and steps."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from stepwell.store.base.signal_exceptions import raise_if_of_handler

STEP_MIN, STEP_MAX = -(2**63), 2**63 - 1

PLAIN: set[type] = {float, int, bool}
"""Types that are packed as they are; numpy's real scalars join when first met."""

_DEEPEST = 64  # nested mappings
_LONGEST = 120  # characters of a value in a message

_NUMPY_SCALARS = {"float64", "float32", "float16", "bool", "bool_"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


class Problem(NamedTuple):
    """One thing of a call that could not be recorded as it was said.

    Attributes:
        subject: The metric's name, or what else is meant; said once for each.
        message: What was wrong, and what became of it.
    """

    subject: str
    message: str


def clean_metrics(metrics: Any) -> tuple[dict[str, float], list[Problem]]:
    """Bring one call's metrics into their recorded form.

    None values are absent; nested mappings become `outer/inner`; numbers, and objects
    that turn into one by `.item()` or `float()`, become floats. Integers beyond 2**53
    become the nearest float.

    Returns:
        Names and values to record, and what could not be.
    """
    if not isinstance(metrics, Mapping):
        kind = type(metrics).__name__
        message = (
            f"metrics must be a dict of names and numbers, such as {{'loss': 0.5}}, not"
            f" {kind}; ignored"
        )
        return {}, [Problem(f"a call with {kind}", message)]
    values: dict[str, float] = {}
    problems: list[Problem] = []
    try:
        _collect(metrics, "", values, problems)
    except Exception as error:  # noqa: BLE001 (a mapping's own code may raise anything)
        raise_if_of_handler(error)
        message = f"a call could not be read to its end: {shown(error, str)}"
        problems.append(Problem("a call", message))
    return values, problems


def _collect(
    metrics: Mapping[Any, Any],
    prefix: str,
    values: dict[str, float],
    problems: list[Problem],
    depth: int = 0,
) -> None:
    if depth > _DEEPEST:
        message = f"metrics nested more than {_DEEPEST} deep are not recorded"
        problems.append(Problem("nesting", message))
        return
    for key, value in metrics.items():
        if value is None:
            continue
        trouble = name_trouble(key)
        if trouble:
            said = shown(key)
            message = (
                f"metric name {said} {trouble}; its value ({type(value).__name__})"
                " was not recorded"
            )
            problems.append(Problem(said, message))
            continue
        name = prefix + key
        if isinstance(value, Mapping):
            _collect(value, f"{name}/", values, problems, depth + 1)
            continue
        if name in values:
            message = f"metric {name[:80]!r} is in one call twice; the last one counts"
            problems.append(Problem(name[:80], message))
        try:
            values[name] = to_float(value)
        except Exception as error:  # noqa: BLE001 (a value's own code may raise anything)
            raise_if_of_handler(error)
            kind = type(value).__name__
            message = (
                f"metric {name[:80]!r}: a value of type {kind} was not recorded:"
                f" {shown(error, str)}"
            )
            problems.append(Problem(name[:80], message))


def shown(value: object, render: Callable[[object], str] = repr) -> str:
    """A value as a message shows it: one short line, whatever its own code does."""
    try:
        text = " ".join(render(value).split())
    except Exception as error:  # noqa: BLE001 (a value's own code may raise anything)
        raise_if_of_handler(error)
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def name_trouble(name: object) -> str | None:
    """What is wrong with a metric's name; None when it is good."""
    if not isinstance(name, str):
        return f"is {_article(name)}, not a text"
    if not name:
        return "is empty"
    if "\0" in name:
        return "holds a NUL character"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "is not valid Unicode"
    return None


def to_float(value: Any) -> float:
    """A metric's value as the float that is recorded.

    Raises:
        TypeError: If it is not a real number.
        OverflowError: If it is an integer beyond the largest float.
    """
    kind = type(value)
    if kind in PLAIN:
        return _checked(value)
    if kind.__module__ == "numpy" and kind.__name__ in _NUMPY_SCALARS:
        # From the next call on such values take the recorder's short path.
        PLAIN.add(kind)
        return float(value)
    if isinstance(value, (float, int)):
        return _checked(value)
    value = _single(value)
    if isinstance(value, (str, bytes, bytearray, complex)):
        raise TypeError("it is not a real number")
    if hasattr(value, "__float__") or hasattr(value, "__index__"):
        return _checked(value)
    raise TypeError("it is not a number; log a float, or None for no value")


def lack_of(value: Any) -> str | None:
    """In what way a value says that it is none; None for all others."""
    kind = type(value)
    if kind.__module__.startswith("pandas.") and kind.__name__ in {"NAType", "NaTType"}:
        return f"is {value}"
    if any(known.__name__ == "MaskedArray" for known in kind.__mro__):
        return "is masked" if value.size == 1 and bool(value.mask) else None
    return None


def _single(value: Any) -> Any:
    """The one number of a scalar, an array or a tensor; *value* where it is none."""
    if lack := lack_of(value):
        raise TypeError(f"it {lack}")
    if getattr(getattr(value, "dtype", None), "kind", "") in {"m", "M"}:
        raise TypeError("it is a time; log seconds")
    item = getattr(value, "item", None)
    if not callable(item):
        return value
    shape = getattr(value, "shape", ())
    try:
        return item()
    except (ValueError, RuntimeError) as error:
        raise_if_of_handler(error)
        if not shape:
            raise
        raise TypeError(
            f"it holds {' × '.join(map(str, shape))} values; log their mean, or each"
            " under a name of its own"
        ) from None


def _checked(value: Any) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise_if_of_handler(error)
        raise OverflowError(
            "the integer is larger than the largest float (about 1.8e308)"
        ) from None


def to_step(step: Any) -> int:
    """A step as the integer that is recorded.

    Raises:
        TypeError: If it is not a whole number.
        OverflowError: If it does not fit 64 bits.
    """
    number: Any = step if isinstance(step, (int, float)) else _single(step)
    try:
        whole = operator.index(number)
    except TypeError as error:
        raise_if_of_handler(error)
        whole = _whole(number)
    if not STEP_MIN <= whole <= STEP_MAX:
        raise OverflowError("a step must fit 64 bits")
    return whole


def _whole(number: Any) -> int:
    """A whole number that is no integer, such as 5.0."""
    try:
        fits = STEP_MIN <= number <= STEP_MAX  # first: 10 to the power of a billion is slow
        is_whole = number == int(number) if fits else number - number == 0  # nor infinite
    except (TypeError, ValueError, ArithmeticError) as error:
        raise_if_of_handler(error)
        is_whole = fits = False
    if not is_whole:
        raise TypeError("a step is a whole number")
    return int(number) if fits else STEP_MAX + 1


def _article(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"
