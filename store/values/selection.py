"""Which runs are meant: the same in Python, on the command line and in figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from stepwell.store.base.errors import ConfigurationError
from stepwell.store.inputs.arguments import check_count
from stepwell.store.inputs.metrics import shown
from stepwell.store.inputs.text_checks import as_texts, check_text

from .run_info import STATUSES, RunInfo

Texts: TypeAlias = str | Sequence[str]
"""A text, or several."""


class _Conditions(NamedTuple):
    """What a selection asks for; see there."""

    runs: tuple[str, ...]
    project: str | None
    group: str | None
    tags: tuple[str, ...]
    status: tuple[str, ...]
    name: str | None
    where: tuple[str, ...]
    limit: int | None


class Selection(_Conditions):
    """Runs that fit every given condition; all runs when none is given.

    Where several texts can be given, one will do without a tuple.

    Attributes:
        runs: References: `last`, an id, a unique part of one, or a name, which here
            stands for every run of that name.
        project: The project's name.
        group: The group's name.
        tags: Labels, all of which a run must have.
        status: Any of these: `running`, `finished`, `failed`, `interrupted`, `crashed`.
        name: A pattern for the run's name, with `*` and `?`.
        where: Conditions on the configuration: `lr < 0.01`, `optimizer = adam`,
            `model.depth >= 4 and data ~ 'cifar*'`. A run without the key fits only `!=`.
        limit: Only the newest runs, so many.

    Raises:
        ConfigurationError: If a condition cannot be read, a status is unknown, or a value
            has the wrong type.
    """

    __slots__ = ()

    # Written out, since it takes more than the fields then are.
    def __new__(  # noqa: D102, PLR0913, PLR0917 (a condition an argument; told above)
        cls,
        runs: Texts = (),
        project: str | None = None,
        group: str | None = None,
        tags: Texts = (),
        status: Texts = (),
        name: str | None = None,
        where: Texts = (),
        limit: int | None = None,
    ) -> Selection:
        for what, text in (("project", project), ("group", group), ("name", name)):
            if text is not None:
                check_text(text, what)
        given: dict[str, Any] = {
            "runs": _references(runs),
            "project": project,
            "group": group,
            "tags": as_texts(tags, "tags"),
            "status": _statuses(status),
            "name": name,
            "where": as_texts(where, "where"),
            "limit": limit,
        }
        if given["where"]:
            from .where import parse_conditions  # noqa: PLC0415 (slow to import)

            for condition in given["where"]:
                parse_conditions(condition)
        if limit is not None:
            check_count(limit, "limit", 0)
        return super().__new__(cls, **given)

    # Of the tuple's own methods `_replace` would take what `__new__` refuses.
    def _replace(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, **changes: Any
    ) -> Selection:
        """The selection with some conditions changed, and checked as given ones are."""
        return Selection(**{**self._asdict(), **changes})

    __replace__ = _replace

    def to_json(self) -> dict[str, Any]:
        """The conditions that are given, as plain JSON values."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in self._asdict().items()
            if value is not None and value != ()
        }

    @classmethod
    def from_json(cls, value: object) -> Selection:
        """The selection of which `to_json` gave *value*.

        Raises:
            ConfigurationError: If *value* is no such thing.
        """
        if not isinstance(value, Mapping):
            raise ConfigurationError(f"a selection must be an object, not {shown(value)}")
        known = cls._fields
        unknown = [str(name) for name in value if name not in known]
        if unknown:
            raise ConfigurationError(
                f"a selection has no {', '.join(unknown)}; it has {', '.join(known)}"
            )
        for name in ("runs", "tags", "status", "where"):
            if not isinstance(value.get(name, []), (list, tuple, str)):
                raise ConfigurationError(f"{name} must be a list, not {value[name]!r}")
        return cls(**value)


def _references(given: Texts) -> tuple[str, ...]:
    references = (given,) if isinstance(given, str) else tuple(given or ())
    for reference in references:
        _check_reference(reference)
    return references


def _statuses(given: Texts) -> tuple[str, ...]:
    found = as_texts(given, "status")
    for status in found:
        if status not in STATUSES:
            known = ", ".join(STATUSES)
            raise ConfigurationError(f"status must be one of {known}, not {shown(status)}")
    return found


def _check_reference(value: object) -> None:
    if not isinstance(value, str):
        raise ConfigurationError(f"runs must be references as text, not {shown(value)}")


Runs: TypeAlias = Selection | RunInfo | str | Sequence[str | RunInfo] | None
"""How a question is told which runs it is about; None for all of them."""


def as_selection(runs: Runs) -> Selection:
    """*runs* as a selection; an empty sequence selects no run.

    Raises:
        ConfigurationError: If it is none of the things that stand for runs.
    """
    if runs is None:
        return Selection()
    if isinstance(runs, Selection):
        return runs
    if isinstance(runs, RunInfo):
        return Selection(runs=runs.run_id)
    if isinstance(runs, str):
        return Selection(runs=runs)
    several: Sequence[str | RunInfo] = runs
    if not isinstance(several, Sequence):
        raise ConfigurationError(
            f"runs must be a Selection, or references to runs, not {shown(runs)}"
        )
    references = tuple(run.run_id if isinstance(run, RunInfo) else run for run in several)
    return Selection(runs=references) if references else Selection(limit=0)
