"""Every query and block of the documentation runs."""

import re
from pathlib import Path

import pytest

import stepwell

DOCS = Path(__file__).parent.parent / "docs"
QUERIES = re.findall(r"```sql\n(.*?)```", (DOCS / "sql.md").read_text(), re.DOTALL)


@pytest.fixture
def store(tmp_path: Path) -> stepwell.Store:
    path = tmp_path / "stepwell.duckdb"
    for name, rate in (("first", 0.1), ("second", 0.01)):
        with stepwell.init(name=name, config={"lr": rate}, store=path) as run:
            for step in range(10):
                run.log({"train_loss": rate / (step + 1), "val_loss": rate / (step + 2)})
    return stepwell.open_store(path)


@pytest.mark.parametrize("query", QUERIES)
def test_each_query_of_the_documentation_finds_something(
    query: str, store: stepwell.Store
) -> None:
    assert store.sql(query).fetchall()


@pytest.mark.parametrize("table", ["runs", "points"])
def test_each_column_of_a_table_is_documented(table: str, store: stepwell.Store) -> None:
    text = (DOCS / "sql.md").read_text()
    columns = [row[0] for row in store.sql(f"describe {table}").fetchall()]
    assert [column for column in columns if f"{column}" not in text] == []


@pytest.mark.parametrize("view", ["metrics", "summary", "params", "run_table"])
def test_each_view_is_documented(view: str, store: stepwell.Store) -> None:
    assert f"| `{view}` |" in (DOCS / "sql.md").read_text()
    assert store.sql(f"select * from {view}").fetchall()  # noqa: S608
