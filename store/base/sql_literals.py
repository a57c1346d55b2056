"""Values as they stand in a statement.

DuckDB 1.5 looks for pandas at each parameter: a third of a millisecond where there is none,
and where there is one, the first parameter of a process loads it.
"""

from collections.abc import Iterable


def literal(text: str) -> str:
    """A text for a statement, whatever letters it has."""
    escaped = text.replace("'", "''")
    if "\0" not in text:  # at which DuckDB would end the statement
        return f"'{escaped}'"
    parts = [f"'{part}'" for part in escaped.split("\0")]
    return f"({' || chr(0) || '.join(parts)})"


def literal_number(number: float) -> str:
    """A number for a statement, as the column of doubles that it is compared with."""
    return f"{literal(repr(float(number)))}::double"


def literals(texts: Iterable[str]) -> str:
    """Texts for a list within a statement, with commas between them."""
    return ", ".join(map(literal, texts))
