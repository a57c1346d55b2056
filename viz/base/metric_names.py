"""What the name of a metric tells: its role, its family, its label."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stepwell.store import metric_words

_TRAINING = frozenset({"train", "training"})
_VALIDATION = frozenset(
    {"val", "valid", "validation", "eval", "evaluation", "test", "dev", "holdout"}
)
_LETTERS = 2  # of a name that is only initials
_MEMBER = re.compile(r"(.*?)[ _./-]?(\d+)")


def is_training(name: str) -> bool:
    """Whether *name* says that the metric is measured on the training data."""
    return not _TRAINING.isdisjoint(metric_words(name))


def is_validation(name: str) -> bool:
    """Whether *name* says that the metric is measured on data held out."""
    return not _VALIDATION.isdisjoint(metric_words(name))


def is_loss(name: str) -> bool:
    """Whether *name* is that of a loss."""
    return "loss" in metric_words(name)


def counterpart(name: str) -> tuple[str, ...]:
    """The words of *name* without its role: the same for "train_f1" and "val_f1"."""
    return tuple(word for word in metric_words(name) if word not in _TRAINING | _VALIDATION)


@dataclass(frozen=True, slots=True)
class Member:
    """A metric of a numbered family: "expert_3" is member 3 of "expert"."""

    family: str
    number: int


def member(name: str) -> Member | None:
    """The family and number of *name*, or None where it has no number at its end."""
    match = _MEMBER.fullmatch(name)
    if match is None or not match[1]:
        return None
    return Member(match[1], int(match[2]))


def readable(name: str) -> str:
    """*name* as people write it: "val_loss" becomes "val loss"."""
    return " ".join(name.replace("_", " ").split()) or name


def titled(name: str) -> str:
    """*name* as a title: "Val loss"; what is only initials, such as "lr", stays."""
    text = readable(name)
    return text if len(text) <= _LETTERS else text[:1].upper() + text[1:]


def short_labels(names: Sequence[str], title: str) -> tuple[str, ...]:
    """Labels for the curves of one panel, without the words that its title says.

    "train_loss" becomes "train" in the panel "Loss". A name that the title says in full
    keeps its words beside others, and has the empty label alone. Where labels would be
    the same, all are whole.
    """
    said = _stems(metric_words(title))
    whole = tuple(readable(name) for name in names)
    short = tuple(
        " ".join(w for w in text.replace("/", " ").split() if w.lower() not in said)
        for text in whole
    )
    if short == ("",):
        return short
    labels = tuple(
        full if not brief or brief.isdigit() else brief
        for brief, full in zip(short, whole, strict=True)
    )
    # Two curves of one name would be worse than long names.
    return labels if len(set(labels)) == len(labels) else whole


def _stems(found: Iterable[str]) -> frozenset[str]:
    """*found* in singular and plural."""
    return frozenset(
        form
        for word in found
        for form in (word, word + "s", word.removesuffix("s"), word.removesuffix("es"))
    )
