"""DuckDB draws no progress into the output of a training, or of its helper."""

from collections.abc import Callable
from pathlib import Path

import pytest

Output = Callable[..., str]
HEAD = """
import sys
import stepwell
from stepwell.store.database.lease import lease_of
from stepwell.store.files.location import resolve

setting = "select current_setting('enable_progress_bar')"
store = stepwell.open_store(sys.argv[1])
"""
LEASE = """
with lease_of(resolve(sys.argv[1])).shared() as connection:
    print(connection.execute(setting).fetchall())
"""


@pytest.mark.parametrize("asks", ["print(store.sql(setting).fetchall())", LEASE])
def test_a_program_without_a_file_has_no_progress_bar(
    output: Output, store_path: Path, asks: str
) -> None:
    assert output(HEAD + asks, store_path) == "[(False,)]\n"


def test_what_the_helper_prints_is_no_answer_of_it(
    output: Output, store_path: Path
) -> None:
    code = """
import os, sys
from stepwell.store.ingest_helper.requests import _own_output

answers = _own_output()
os.write(1, b"100% of a query")
print("something else", flush=True)
os.write(answers, b"7")
"""
    assert output(code) == "7"
