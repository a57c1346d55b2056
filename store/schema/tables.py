"""The tables that a store's file has, and the views that are made over them.

The file has the same views, for people who look into it with another program. Ours are
made anew on each connection: what a file says of a view is not believed.
"""

import re

from stepwell import migrations

_HEAD = migrations.FILE.read_text("utf-8")

# From the file that makes new stores, so that what is expected of them cannot differ.
TABLES = dict(re.findall(r"^CREATE TABLE (\w+)\((.+)\);$", _HEAD, re.MULTILINE))
"""What each table consists of, as DuckDB says it of today's revision."""

VIEWS = dict(re.findall(r"^create view (\w+) as\n(.+?);$", _HEAD, re.MULTILINE | re.DOTALL))
"""The views, each over tables and the views before it."""

RUN_COLUMNS = re.findall(r"(?:^|, )([a-z_]+) ", TABLES["runs"])
"""The columns of `runs`, in their order."""
