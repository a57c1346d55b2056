"""The tables as the code sees them now; how they came to be is in `migrations/`.

Users query the tables `runs`, `points` and `figures` and the views, so their names are a
promise. The tables that end in `_` hold what the store itself needs.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

metadata = sa.MetaData()

# No table has a foreign key: DuckDB refuses nearly every change of one that another refers
# to, and so each later migration.
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("project", sa.String),
    sa.Column("group_name", sa.String),
    sa.Column("tags", ARRAY(sa.String)),
    sa.Column("notes", sa.String),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("config", sa.JSON),
    sa.Column("created_at", sa.TIMESTAMP),
    sa.Column("finished_at", sa.TIMESTAMP),
    sa.Column("host", sa.String),
    sa.Column("pid", sa.BigInteger),
    sa.Column("user_name", sa.String),
    sa.Column("command", sa.String),
    sa.Column("working_dir", sa.String),
    sa.Column("git_commit", sa.String),
    sa.Column("git_dirty", sa.Boolean),
    sa.Column("python_version", sa.String),
    sa.Column("exit_message", sa.String),
    sa.Column("attempt", sa.SmallInteger, nullable=False),
    sa.Column("lost_calls", sa.BigInteger, nullable=False),
    sa.Column("layout", sa.JSON),
)

# Without a key, which doubles the bytes of a point and slows each fold: that no record
# comes twice is kept by the offsets in `journals_`. Names stand here as they are, since
# DuckDB's dictionaries make them as small as numbers.
points = sa.Table(
    "points",
    metadata,
    sa.Column("run_id", sa.Uuid, nullable=False),
    sa.Column("metric", sa.String, nullable=False),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("time", sa.TIMESTAMP, nullable=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("rank", sa.SmallInteger, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
)

figures = sa.Table(
    "figures",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("saved_at", sa.TIMESTAMP, nullable=False),
)

params_ = sa.Table(
    "params_",
    metadata,
    sa.Column("run_id", sa.Uuid, nullable=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("text", sa.String),
    sa.Column("number", sa.Double),
)

totals_ = sa.Table(
    "totals_",
    metadata,
    sa.Column("run_id", sa.Uuid, nullable=False),
    sa.Column("metric", sa.String, nullable=False),
    sa.Column("rank", sa.SmallInteger, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("non_finite", sa.BigInteger, nullable=False),
    sa.Column("total", sa.Double, nullable=False),
    sa.Column("minimum", sa.Double),
    sa.Column("minimum_step", sa.BigInteger),
    sa.Column("maximum", sa.Double),
    sa.Column("maximum_step", sa.BigInteger),
    sa.Column("first_time", sa.TIMESTAMP, nullable=False),
    sa.Column("first_step", sa.BigInteger, nullable=False),
    sa.Column("last_step", sa.BigInteger, nullable=False),
    sa.Column("last_time", sa.TIMESTAMP, nullable=False),
    sa.Column("last_value", sa.Double, nullable=False),
    sa.Column("superseded_from", sa.BigInteger),
)

attempts_ = sa.Table(
    "attempts_",
    metadata,
    sa.Column("run_id", sa.Uuid, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("rank", sa.SmallInteger, nullable=False),
    sa.Column("writer", sa.String, nullable=False),
    sa.Column("follows", sa.Integer, nullable=False),
    sa.Column("started_at", sa.TIMESTAMP, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
)

journals_ = sa.Table(
    "journals_",
    metadata,
    sa.Column("writer", sa.String, nullable=False),
    sa.Column("run_id", sa.Uuid, nullable=False),
    sa.Column("rank", sa.SmallInteger, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("is_primary", sa.Boolean, nullable=False),
    sa.Column("folded_bytes", sa.BigInteger, nullable=False),
    sa.Column("skipped_bytes", sa.BigInteger, nullable=False),
    sa.Column("ended", sa.String),
    sa.Column("last_sign", sa.TIMESTAMP, nullable=False),
    sa.Column("message", sa.String),
)

names_ = sa.Table(
    "names_",
    metadata,
    sa.Column("writer", sa.String, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("names", ARRAY(sa.String), nullable=False),
)

VIEWS = ("metrics", "params", "run_table", "summary", "superseded_")
"""The views; what they say is in the migrations."""
