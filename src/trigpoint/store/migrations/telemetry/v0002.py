"""Keep what passed between replicas and the world as steps in time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Change the tables."""
    _steps()


def _steps() -> None:
    op.create_table(
        "steps",
        sa.Column("replica", TEXT, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("thing", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("replica", "what", "thing", "number"),
    )
    op.create_index("steps_by_stamp", "steps", ["stamp"], unique=False)
