"""Imports every file that declares a table, so that `schema.METADATA` and `schema.TELEMETRY` are complete."""

from trigpoint.store import events, graph, history, objects, operations, refs, resources, steps, telemetry, work

DECLARING = (events, graph, history, objects, operations, refs, resources, steps, telemetry, work)
"""Add the module of a new table here."""
