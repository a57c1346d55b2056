"""Figures that are kept by name, as what they ask of the store."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "figures",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("saved_at", sa.TIMESTAMP, nullable=False),
    )
