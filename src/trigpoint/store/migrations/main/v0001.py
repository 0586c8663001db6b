"""Create every table."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Change the tables."""
    _buckets()
    _events()
    _graph_children()
    _graph_edges()
    _graph_members()
    _history()
    _labels()
    _marks()
    _object_chores()
    _objects()
    _operations()
    _refs()
    _resources()
    _upload_parts()
    _uploads()
    _work()


def _buckets() -> None:
    op.create_table(
        "buckets",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("metageneration", sa.BigInteger(), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.BigInteger(), nullable=False),
        sa.Column("attributes", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("buckets_by_project", "buckets", ["project", "name"], unique=False)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("place", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("data", TEXT, nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_by_project", "events", ["project", "seq"], unique=False)
    op.create_index("events_by_subject", "events", ["subject", "seq"], unique=False)


def _graph_children() -> None:
    op.create_table(
        "graph_children",
        sa.Column("parent", TEXT, nullable=False),
        sa.Column("child", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("parent", "child"),
    )
    op.create_index("graph_children_by_child", "graph_children", ["child", "parent"], unique=False)


def _graph_edges() -> None:
    op.create_table(
        "graph_edges",
        sa.Column("execution", TEXT, nullable=False),
        sa.Column("artifact", TEXT, nullable=False),
        sa.Column("output", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("labels", TEXT, nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("execution", "artifact", "output"),
    )
    op.create_index("graph_edges_by_artifact", "graph_edges", ["artifact", "execution"], unique=False)


def _graph_members() -> None:
    op.create_table(
        "graph_members",
        sa.Column("context", TEXT, nullable=False),
        sa.Column("node", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("context", "node"),
    )
    op.create_index("graph_members_by_node", "graph_members", ["node", "context"], unique=False)


def _history() -> None:
    op.create_table(
        "history",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("parent", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("display_name", TEXT, nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("labels", TEXT, nullable=False),
        sa.Column("notes", TEXT, nullable=False),
        sa.Column("json", TEXT, nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version"),
    )
    op.create_index("history_by_age", "history", ["until"], unique=False)


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", "key"),
    )
    op.create_index("labels_by_value", "labels", ["key", "value", "name"], unique=False)


def _marks() -> None:
    op.create_table(
        "marks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _object_chores() -> None:
    op.create_table(
        "object_chores",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("bucket", TEXT, nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("blob", TEXT, nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _objects() -> None:
    op.create_table(
        "objects",
        sa.Column("bucket", TEXT, nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("metageneration", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("crc32c", sa.BigInteger(), nullable=False),
        sa.Column("md5", TEXT, nullable=False),
        sa.Column("blob", TEXT, nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("mtime", sa.BigInteger(), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.BigInteger(), nullable=False),
        sa.Column("delete_time", sa.BigInteger(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("attributes", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "name", "generation"),
    )
    op.create_index("objects_by_blob", "objects", ["blob"], unique=False)
    op.create_index(
        "objects_live",
        "objects",
        ["bucket", "name"],
        unique=True,
        sqlite_where=sa.text("live IS 1"),
        postgresql_where=sa.text("live IS true"),
    )


def _operations() -> None:
    op.create_table(
        "operations",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("parent", TEXT, nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("method", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("json", TEXT, nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("operations_by_age", "operations", ["done", "update_time"], unique=False)
    op.create_index("operations_by_target", "operations", ["target", "name"], unique=False)
    op.create_index("operations_newest", "operations", ["parent", "create_time", "name"], unique=False)


def _refs() -> None:
    op.create_table(
        "refs",
        sa.Column("user_name", TEXT, nullable=False),
        sa.Column("used_name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("user_name", "used_name", "kind"),
    )
    op.create_index("refs_by_used", "refs", ["used_name", "kind", "user_name"], unique=False)


def _resources() -> None:
    op.create_table(
        "resources",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("parent", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("display_name", TEXT, nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("update_time", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("labels", TEXT, nullable=False),
        sa.Column("notes", TEXT, nullable=False),
        sa.Column("json", TEXT, nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("resources_display_name", "resources", ["kind", "display_name", "name"], unique=False)
    op.create_index("resources_newest", "resources", ["kind", "parent", "create_time", "name"], unique=False)
    op.create_index("resources_state", "resources", ["kind", "state", "name"], unique=False)


def _upload_parts() -> None:
    op.create_table(
        "upload_parts",
        sa.Column("upload", TEXT, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("blob", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("crc32c", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("upload", "number"),
    )
    op.create_index("upload_parts_by_blob", "upload_parts", ["blob"], unique=False)


def _uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("bucket", TEXT, nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("blob", TEXT, nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("crc32c", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("spec", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uploads_by_blob", "uploads", ["blob"], unique=False)
    op.create_index("uploads_by_time", "uploads", ["create_time"], unique=False)


def _work() -> None:
    op.create_table(
        "work",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name"),
    )
