"""Imports every file that declares a table, so that `schema.METADATA` and `schema.TELEMETRY` are complete."""

from trigpoint.store import events, graph, history, operations, refs, resources, work

DECLARING = (events, graph, history, operations, refs, resources, work)
"""Add the module of a new table here."""
