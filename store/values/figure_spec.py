"""A figure as what it asks of a store: kept by name, and carried by pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from stepwell.store.base.errors import ConfigurationError
from stepwell.store.inputs.metrics import shown
from stepwell.store.inputs.text_checks import check_text

from .run_info import RunInfo
from .selection import Selection


@dataclass(frozen=True, slots=True)
class FigureSpec:
    """What a figure shows, and how; with a store it can be drawn at any time.

    Attributes:
        kind: "run" for a run's own panels, or the name of a plot such as "curves".
        runs: The runs that it shows. A figure of kind "run" shows the newest of them.
        options: What the plot is told, such as its metric; JSON values.
        style: How it looks: `theme` (light or dark), `size` (width and height in inches),
            `dpi` and `title`; JSON values.
        pinned: Ids of the runs that it keeps to; None follows what *runs* selects.

    Raises:
        ConfigurationError: A value has the wrong type.
    """

    kind: str
    runs: Selection = field(default_factory=Selection)
    options: Mapping[str, Any] = field(default_factory=dict)
    style: Mapping[str, Any] = field(default_factory=dict)
    pinned: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_text(self.kind, "a figure's kind")
        if not self.kind:
            raise ConfigurationError("a figure's kind is empty")
        if not isinstance(self.runs, Selection):
            raise ConfigurationError(
                f"a figure's runs must be a Selection, not {shown(self.runs)}"
            )
        for name in ("options", "style"):
            object.__setattr__(self, name, _plain(name, getattr(self, name)))
        if self.pinned is not None:
            object.__setattr__(self, "pinned", _ids(self.pinned))

    @property
    def selection(self) -> Selection:
        """The runs to draw: the pinned ones, or those that *runs* selects."""
        return self.runs if self.pinned is None else Selection(runs=self.pinned)

    def pin(self, run_ids: tuple[str, ...]) -> FigureSpec:
        """The same figure, kept to these runs."""
        return replace(self, pinned=run_ids)

    def to_json(self) -> dict[str, Any]:
        """What is given, as plain JSON values."""
        given = {
            "kind": self.kind,
            "runs": self.runs.to_json(),
            "options": dict(self.options),
            "style": dict(self.style),
            "pinned": None if self.pinned is None else list(self.pinned),
        }
        return {name: value for name, value in given.items() if value not in ({}, None)}

    @classmethod
    def from_json(cls, value: object) -> FigureSpec:
        """The figure of which `to_json` gave *value*.

        Raises:
            ConfigurationError: If *value* is no such thing.
        """
        if not isinstance(value, Mapping):
            raise ConfigurationError(f"a figure must be an object, not {shown(value)}")
        known = [one.name for one in fields(cls)]
        unknown = [str(name) for name in value if name not in known]
        if unknown:
            raise ConfigurationError(
                f"a figure has no {', '.join(unknown)}; it has {', '.join(known)}"
            )
        if "kind" not in value:
            raise ConfigurationError("a figure needs a kind, such as 'run' or 'curves'")
        return cls(**{**value, "runs": Selection.from_json(value.get("runs", {}))})


@dataclass(frozen=True, slots=True)
class KeptFigure:
    """A figure that a store keeps by name.

    Attributes:
        name: Its name.
        spec: What it shows.
        saved_at: When it was saved (UTC).
    """

    name: str
    spec: FigureSpec
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class FigureRuns:
    """The runs of a figure that are in a store.

    Attributes:
        runs: The runs, newest first.
        gone: Ids of runs that it is pinned to, and that the store does not have.
    """

    runs: tuple[RunInfo, ...]
    gone: tuple[str, ...] = ()


def _plain(name: str, values: object) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise ConfigurationError(
            f"a figure's {name} must be a mapping, not {shown(values)}"
        )
    try:
        text = json.dumps(dict(values), ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"a figure's {name} must be plain values that JSON can say: {error}"
        ) from error
    plain: dict[str, Any] = json.loads(text)
    return plain


def _ids(values: object) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, (list, tuple)) or not values:
        raise ConfigurationError(
            f"a pinned figure needs the ids of its runs, not {shown(values)}"
        )
    for value in values:
        check_text(value, "the id of a pinned run")
    return tuple(values)
