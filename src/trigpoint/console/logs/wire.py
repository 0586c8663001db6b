"""What the log's page is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from trigpoint.core.clock import Micros


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log. Its text is what the program printed, whatever that is: it is the page's to show it inert."""

    id: str
    """Unique in the log, the same at every reading, and a place in it: `before` and `after` take it."""
    time: Micros
    task: str
    """The replica's, or `service` for what the platform says."""
    attempt: int
    """0 for the service."""
    severity: str
    """DEFAULT, DEBUG, INFO, ...: the line's own where it is a JSON object that says so; else ERROR on stderr."""
    text: str
    """At most 65,536 characters."""
    cut: bool
    """Whether the line goes on after the text."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines of a log, the newest last."""

    lines: Sequence[LogLine]
    """May be empty though there are more: a page looks at so many lines only in search of some."""
    older: str
    """Place to ask for what is `before` the page; empty at the beginning of the log."""
    newer: str
    """Place to ask for what is `after` the page; empty at the end."""
    follow: str
    """At the end: where `logs/stream` goes on; empty elsewhere."""


@dataclass(frozen=True, slots=True)
class LogLines:
    """Messages of `logs/stream`: `lines` are those printed since the one before; `end`, without any, says that the
    job is over and that this was everything."""

    lines: Sequence[LogLine]
