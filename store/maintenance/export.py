"""Runs and points as files of other programs, by DuckDB's own writers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from stepwell.store.base.errors import ConfigurationError, StoreLocationError
from stepwell.store.files.hidden_folder import FILE, hidden_folder
from stepwell.store.files.links import file_to_replace
from stepwell.store.inputs.metrics import shown
from stepwell.store.queries.runs import Chosen
from stepwell.store.values.sql_result import SqlResult

FORMATS = ("csv", "parquet")
"""The formats that there are writers for; also the files' suffixes."""

_OPTIONS = {"csv": "format csv, header true", "parquet": "format parquet, compression zstd"}
_QUERIES = {
    "runs": "select {columns} from runs where run_id in ({chosen})"
    " order by created_at, run_id",
    # An attempt has a number for people, and an id for the store.
    "points": "select p.* replace (coalesce(n.number, 1) as attempt)"
    " from points p left join (select distinct run_id, attempt, number from attempts_"
    " where number <> 1) n on n.run_id = p.run_id and n.attempt = p.attempt"
    " where p.run_id in ({chosen})",
}
_ROWS_AT_A_TIME = 50_000


@dataclass(frozen=True, slots=True)
class ExportedRuns:
    """What an export came to.

    Attributes:
        files: The files, of the runs and of the points.
        runs: How many runs there are in them.
        points: How many points.
    """

    files: tuple[Path, ...]
    runs: int
    points: int


def check_format(name: str) -> None:
    """Refuse a format that there is no writer for.

    Raises:
        ConfigurationError: If it is none of `FORMATS`.
    """
    if name not in FORMATS:
        raise ConfigurationError(
            f"format must be one of {', '.join(FORMATS)}, not {shown(name)}"
        )


def require_free(files: tuple[Path, ...], database: Path, *, force: bool) -> None:
    """Make sure that files can be written, and the store is none of them.

    Raises:
        StoreLocationError: If one is there already and *force* is not set, or is the store.
    """
    for file in files:
        if file.resolve() == database:
            raise StoreLocationError(f"{file} is the store itself; choose another path")
        if file.exists() and not force:
            raise StoreLocationError(
                f"{file} is there already; choose another folder, or force it"
            )


def make_folder(file: Path) -> Path:
    """Make the folder that a file is to come to; gives it without links.

    Raises:
        StoreLocationError: If it cannot be made.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(file, _reason(file, error)) from error
    return Path(os.path.realpath(file)).parent


def write_tables(
    connection: duckdb.DuckDBPyConnection,
    chosen: Chosen,
    files: tuple[Path, Path],
    form: str,
) -> ExportedRuns:
    """Write the chosen runs and their points; both files appear when both are whole.

    Raises:
        StoreLocationError: If a file cannot be written.
    """
    # A list has no form of its own in CSV.
    columns = "* replace (to_json(tags) as tags)" if form == "csv" else "*"
    with replacing(files[0]) as runs, replacing(files[1]) as points:
        counts = [
            _copy(
                connection,
                _QUERIES[table].format(columns=columns, chosen=chosen.sql),
                part,
                form,
            )
            for table, part in (("runs", runs), ("points", points))
        ]
    return ExportedRuns(files, *counts)


def write_result(result: SqlResult, file: Path, form: str) -> None:
    """Write a query's result; replaces the file that is there, once it is whole.

    Args:
        result: The rows.
        file: Where to.
        form: `csv` or `parquet`.

    Raises:
        ConfigurationError: If there is no such format, or it has no form for a column.
        StoreLocationError: If the file cannot be written.
    """
    check_format(form)
    from stepwell.store.database.duckdb_instance import new_memory  # noqa: PLC0415

    connection = new_memory()
    try:
        _load(connection, result)
        with replacing(file) as part:
            _copy(connection, "from result", part, form)
    finally:
        connection.close()


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of *file*, or of what it links to.

    It is in a folder of ours, so that nobody can put a link there, which DuckDB follows.

    Raises:
        StoreLocationError: If the folder cannot be made, or the file not be written.
    """
    part = file
    try:
        target = file_to_replace(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        with hidden_folder(target, FILE) as folder:
            part = folder.absolute() / target.name
            yield part
            part.replace(target)
    except OSError as error:
        raise _unwritable(file, _reason(file, error)) from error
    except duckdb.Error as error:
        why = str(error).splitlines()[0].replace(str(part), str(file))
        raise _unwritable(file, why) from error


def _copy(connection: duckdb.DuckDBPyConnection, query: str, part: Path, form: str) -> int:
    path = str(part).replace("'", "''")
    found = connection.execute(f"copy ({query}) to '{path}' ({_OPTIONS[form]})").fetchone()
    return int(found[0]) if found else 0


def _reason(file: Path, error: OSError) -> str:
    # Where a file stands in the way, the system speaks of it, but not by its name.
    for folder in file.parents:
        if folder.exists():
            if not folder.is_dir():
                return f"{folder} is a file, not a folder"
            break
    return error.strerror or str(error)


def _unwritable(path: Path, why: str) -> StoreLocationError:
    return StoreLocationError(f"cannot write {path}: {why}")


def _load(connection: duckdb.DuckDBPyConnection, result: SqlResult) -> None:
    names = [f'"{_quoted(name)}"' for name in _distinct(result.columns)]
    columns = ", ".join(
        f"{name} {kind}" for name, kind in zip(names, result.types, strict=True)
    )
    unnested = ", ".join(f"unnest(?::{kind}[])" for kind in result.types)
    rows = result.fetchall()
    try:
        connection.execute(f"create table result ({columns})")
        for first in range(0, len(rows), _ROWS_AT_A_TIME):
            block = rows[first : first + _ROWS_AT_A_TIME]
            lists = [
                [_exact(value) for value in values]
                if "DOUBLE" in kind or "FLOAT" in kind
                else list(values)
                for kind, values in zip(result.types, zip(*block, strict=True), strict=True)
            ]
            connection.execute(f"insert into result select {unnested}", lists)
    except duckdb.Error as error:
        raise ConfigurationError(
            f"a column has no form in the file ({str(error).splitlines()[0]});"
            " cast it to VARCHAR in the query"
        ) from error


def _exact(value: Any) -> Any:
    """*value* with text for its floats: DuckDB takes a parameter that is NaN for NULL."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return [_exact(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _exact(inner) for key, inner in value.items()}
    return value


def _distinct(names: tuple[str, ...]) -> list[str]:
    """Names of columns, of which those that come again get a number."""
    taken: set[str] = set()
    distinct = []
    for name in names:
        new, number = name, 1
        while new.lower() in taken:
            new, number = f"{name}_{number}", number + 1
        taken.add(new.lower())
        distinct.append(new)
    return distinct


def _quoted(name: str) -> str:
    return name.replace('"', '""')
