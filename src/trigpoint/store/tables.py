"""Imports every file that declares a table, so that `schema.METADATA` and `schema.TELEMETRY` are complete."""

from trigpoint.store import history, resources

DECLARING = (history, resources)
"""Add the module of a new table here."""
