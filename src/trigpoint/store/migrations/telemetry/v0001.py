"""Create every table."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Change the tables."""
    _accesses()
    _heartbeats()
    _log_blocks()
    _series()


def _accesses() -> None:
    op.create_table(
        "accesses",
        sa.Column("attempt", TEXT, nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("uri", TEXT, nullable=False),
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("verb", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_time", sa.BigInteger(), nullable=False),
        sa.Column("last_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("attempt", "identity", "uri", "generation", "verb"),
    )
    op.create_index("accesses_by_time", "accesses", ["last_time"], unique=False)
    op.create_index("accesses_by_uri", "accesses", ["uri", "generation"], unique=False)


def _heartbeats() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("replica", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("replica"),
    )
    op.create_index("heartbeats_by_time", "heartbeats", ["time"], unique=False)


def _log_blocks() -> None:
    op.create_table(
        "log_blocks",
        sa.Column("replica", TEXT, nullable=False),
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("segment", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("first_line", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("first_time", sa.BigInteger(), nullable=False),
        sa.Column("last_time", sa.BigInteger(), nullable=False),
        sa.Column("severities", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("replica", "stream", "segment", "start"),
    )


def _series() -> None:
    op.create_table(
        "series",
        sa.Column("replica", TEXT, nullable=False),
        sa.Column("metric", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("replica", "metric", "time"),
    )
