"""Which side of a metric is better, as far as its name tells."""

import re

from stepwell.store.base.errors import ConfigurationError
from stepwell.store.inputs.metrics import shown
from stepwell.store.inputs.text_checks import is_any

_LOWER = """
loss error err perplexity ppl nll mse mae rmse mape wer cer bpb bpc fid distance
divergence kl cost regret
"""
_HIGHER = """
accuracy acc f1 score auc auroc bleu rouge precision recall map iou dice r2 reward
return success psnr ssim top1 top5
"""
_LOWER_IS_BETTER = frozenset(_LOWER.split())
_HIGHER_IS_BETTER = frozenset(_HIGHER.split())
_BOUNDARY = re.compile(r"[^0-9a-zA-Z]+|(?<=[a-z])(?=[A-Z])")


def metric_words(name: str) -> tuple[str, ...]:
    """The words of *name* in lower case: "val_loss" and "valLoss" have two."""
    return tuple(word.lower() for word in _BOUNDARY.split(name) if word)


def better_side(name: str) -> str | None:
    """Whether "min" or "max" is better, or None where the name doesn't tell."""
    found = metric_words(name)
    if not _LOWER_IS_BETTER.isdisjoint(found):
        return "min"
    return None if _HIGHER_IS_BETTER.isdisjoint(found) else "max"


def check_goal(goal: str | None) -> None:
    """Refuse what is no goal.

    Raises:
        ConfigurationError: If *goal* is none of `min`, `max` and None.
    """
    if goal is not None and not is_any(goal, "min", "max"):
        raise ConfigurationError(f"goal must be 'min' or 'max', not {shown(goal)}")


def goal_of(metric: str, goal: str | None) -> str:
    """The goal that was given, or else the one that the metric's name tells.

    Raises:
        ConfigurationError: If neither says it.
    """
    check_goal(goal)
    found = goal or better_side(metric)
    if found is None:
        raise ConfigurationError(
            f"whether a low or a high {shown(metric)} is better does not follow from its"
            " name; say which: goal min or max"
        )
    return found
