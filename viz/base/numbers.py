"""Numbers as short texts: values, steps, durations, ticks."""

import math
from collections.abc import Sequence

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_SMALL = 1e-3
_LARGE = 1e4
_HUGE = 1e15
_SHORT_STEP = 5
_MINUTE = 60
_HOUR = 3600
_DAY = 86400


def short_value(value: float, digits: int = 4) -> str:
    """*value* with about *digits* significant digits: "1.813", "402k", "2.08e-4"."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else _minus("-∞")
    size = abs(value)
    if size == 0:
        return "0"
    if size < _SMALL or size >= _HUGE:
        return _scientific(value, digits - 1)
    if size < _LARGE:
        return _minus(f"{_digits_of(value, digits):.12g}")
    return _minus(_prefixed(value, digits))


def short_step(step: float) -> str:
    """*step* as a short text: "500", "12.5k", but "12,707"."""
    text = _minus(_prefixed(step, 12))
    return text if len(text) <= _SHORT_STEP else _minus(f"{step:,.0f}")


def tick_labels(ticks: Sequence[float]) -> tuple[str, ...]:
    """Labels for *ticks*, alike in form and all different where the ticks are."""
    # The fewest digits with which every label says its tick exactly, the same for all.
    for digits in range(3, 15):
        if all(
            math.isclose(_digits_of(tick, digits), tick, rel_tol=1e-9, abs_tol=1e-300)
            for tick in ticks
        ):
            return tuple(_tick(tick, digits) for tick in ticks)
    return tuple(_tick(tick, 15) for tick in ticks)


def duration(seconds: float) -> str:
    """*seconds* in its two largest units: "6m 49s", "3h 5m"."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE}m"
    return f"{whole // _DAY}d {whole % _DAY // _HOUR}h"


def _tick(tick: float, digits: int) -> str:
    size = abs(tick)
    if size == 0:
        return "0"
    if size < _SMALL or size >= _HUGE:
        return _scientific(tick, digits)
    return _minus(_prefixed(tick, digits))


def _digits_of(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _prefixed(value: float, digits: int) -> str:
    # Rounded before the prefix is chosen, or 999,960 would be "1000k" instead of "1M".
    rounded = _digits_of(value, digits)
    for factor, prefix in _PREFIXES:
        if abs(rounded) >= factor:
            return f"{rounded / factor:.12g}{prefix}"
    return f"{rounded:.12g}"


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{max(0, digits - 1)}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return _minus(f"{mantissa}e{int(exponent)}")


def _minus(text: str) -> str:
    return "\N{MINUS SIGN}" + text[1:] if text.startswith("-") else text
