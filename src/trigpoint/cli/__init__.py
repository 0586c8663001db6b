"""The command `trig`: starts the server as a process and talks to it over its public API; imports nothing of it."""

from trigpoint.cli.app import main

__all__ = ["main"]
