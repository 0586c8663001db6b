"""Alembic's entry: runs revisions on the connection that `migrations.upgrade` hands in; executed, never imported."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
)
context.run_migrations()
