"""Values as they stand in a statement.

DuckDB 1.5 looks for pandas at each parameter: a third of a millisecond where there is none.
"""

from collections.abc import Iterable


def literal(text: str) -> str:
    """A text for a statement, whatever letters it has."""
    escaped = text.replace("'", "''")
    if "\0" not in text:  # at which DuckDB would end the statement
        return f"'{escaped}'"
    parts = [f"'{part}'" for part in escaped.split("\0")]
    return f"({' || chr(0) || '.join(parts)})"


def literals(texts: Iterable[str]) -> str:
    """Texts for a list within a statement, with commas between them."""
    return ", ".join(map(literal, texts))
