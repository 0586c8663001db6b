"""Brings the tables of an older version up to date, one revision file per change; loads Alembic only for that."""

import importlib
from pathlib import Path

from sqlalchemy import Connection, text


def upgrade(connection: Connection, folder: str, version_table: str) -> None:
    """Run the missing revisions of one line in the caller's transaction; the caller commits."""
    connection.execute(text("SELECT 1"))  # Alembic leaves a transaction alone that has begun
    config = importlib.import_module("alembic.config").Config()
    here = Path(__file__).parent
    config.set_main_option("script_location", str(here))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(here / folder))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = version_table
    importlib.import_module("alembic.command").upgrade(config, "head")
