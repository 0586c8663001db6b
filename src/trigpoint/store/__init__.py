"""Rows without meaning: each file owns its table and its statements; what they mean is for the layers above.

`db.Store` opens the two databases (SQLite or PostgreSQL), runs writes in durable groups and reads beside them.
A new table file imports `schema.METADATA`, declares its `Table`, and is listed in `tables.py`.
"""

from trigpoint.store.db import Store
from trigpoint.store.tx import Tx

__all__ = ["Store", "Tx"]
