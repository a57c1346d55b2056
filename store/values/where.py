"""Conditions on a run's configuration, such as `lr < 0.01 and optimizer = adam`."""

import math
import re
from dataclasses import dataclass

from stepwell.store.base.errors import ConfigurationError
from stepwell.store.base.sql_literals import literal, literal_number
from stepwell.store.inputs.text_checks import check_text

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_CONDITION = re.compile(
    rf"\s*(?P<key>{_QUOTED}|[^\s=!<>~'\"]+)"
    r"\s*(?P<operator>==|!=|<=|>=|=|<|>|~)"
    rf"\s*(?P<value>{_QUOTED}|[^\s=!<>~'\"][^\s'\"]*)",
    re.DOTALL,
)
_AND = re.compile(r"\s+and(?=\s)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([\\'\"])")
_WORDS = {
    "true": "lower(text) = 'true'",
    "false": "lower(text) = 'false'",
    "null": "(text is null or lower(text) = 'null')",
    "none": "(text is null or lower(text) = 'none')",
}
"""Words for which a configuration may hold no text, or another form of it."""

_EXPECTED = 'expected KEY OP VALUE, such as "lr < 0.01" or "optimizer = \'adam w\'"'


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on one key.

    Attributes:
        key: A key of the flattened configuration, such as `model.depth`.
        operator: One of `=`, `!=`, `<`, `<=`, `>`, `>=`, and `~` for a pattern.
        value: A number, or text.
        is_quoted: Whether the value stood in quotes, and so is text whatever it says.
    """

    key: str
    operator: str
    value: str | float
    is_quoted: bool = False


def parse_conditions(text: str) -> tuple[Condition, ...]:
    """The conditions that *text* joins by `and`, at least one.

    Raises:
        ConfigurationError: If *text* cannot be read so; the message says where.
    """
    check_text(text, "condition")
    found, place = [], 0
    while True:
        match = _CONDITION.match(text, place)
        if match is None:
            at = f" at {_short(text[place:].strip())!r}" if place else ""
            raise ConfigurationError(f"bad condition {_short(text)!r}{at}: {_EXPECTED}")
        found.append(_condition(text, match))
        place = match.end()
        if not text[place:].strip():
            return tuple(found)
        joint = _AND.match(text, place)
        if joint is None:
            raise ConfigurationError(
                f"bad condition {_short(text)!r} at {_short(text[place:].strip())!r}:"
                " join conditions by ' and ', and put a value of several words in quotes"
            )
        place = joint.end()


def condition_sql(condition: Condition) -> str:
    """The condition as SQL on the column `run_id`."""
    negated = condition.operator == "!="
    query = (
        "select run_id from store.main.params_"  # noqa: S608
        f" where key = {literal(condition.key)} and {_test(condition)}"
    )
    return f"run_id {'not ' if negated else ''}in ({query})"


def like(pattern: str) -> str:
    r"""A pattern with `*` and `?` as one of SQL's LIKE, with `\` to escape."""
    for plain, escaped in (("\\", "\\\\"), ("%", "\\%"), ("_", "\\_")):
        pattern = pattern.replace(plain, escaped)
    return pattern.replace("*", "%").replace("?", "_")


def _condition(text: str, match: re.Match[str]) -> Condition:
    key, operator, value = match["key"], match["operator"], match["value"]
    quoted = value[0] in "'\""
    plain: str | float = _unquoted(value)
    if not quoted and operator != "~":
        plain = _number(value)
    if operator in {"<", "<=", ">", ">="}:
        wrong = not quoted and isinstance(plain, str)
        if wrong or (isinstance(plain, float) and math.isnan(plain)):
            raise ConfigurationError(
                f"bad condition {_short(text)!r}: {operator} compares with a number"
                f" (or with text in quotes), not with {_short(value)}"
            )
    return Condition(_unquoted(key), "=" if operator == "==" else operator, plain, quoted)


def _test(condition: Condition) -> str:
    operator, value = condition.operator, condition.value
    if operator == "~":
        return rf"text like {literal(like(str(value)))} escape '\'"
    if operator in {"=", "!="}:
        if not isinstance(value, str):
            is_nan = math.isnan(value)  # the table has no number for it
            return "lower(text) = 'nan'" if is_nan else f"number = {literal_number(value)}"
        test = None if condition.is_quoted else _WORDS.get(value.lower())
        return test or f"text = {literal(value)}"
    if not isinstance(value, str):
        return f"number {operator} {literal_number(value)} and not isnan(number)"
    return f"text {operator} {literal(value)}"


def _number(word: str) -> str | float:
    try:
        return float(word)
    except ValueError:
        return word


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1]) if text[0] in "'\"" else text


def _short(text: str) -> str:
    longest = 80
    return text if len(text) <= longest else text[: longest - 1] + "…"
