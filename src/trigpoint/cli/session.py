"""What one invocation of `trig` carries along: settings and output; and the one exception that ends it politely."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from trigpoint.core.ready import Ready
from trigpoint.settings import Settings, SettingsError, load


class Status(IntEnum):
    """The exit statuses of `trig`; `trig run` passes on its command's."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_SERVER = 3
    INTERRUPTED = 130


def configured(flags: Mapping[str, Any]) -> Settings:
    """Return the settings of an invocation; Failure where they can't be used."""
    try:
        return load(flags)
    except SettingsError as error:
        raise Failure(f"The configuration can't be used: {error}", status=Status.USAGE) from error


class Failure(Exception):
    """An end with a message that names the thing and, where there is one, the fix."""

    def __init__(self, message: str, fix: str = "", status: int = Status.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.status = int(status)


@dataclass
class Session:
    """Settings of this invocation and where its output goes; results to stdout, everything else to stderr."""

    settings: Settings
    as_json: bool = False
    chosen_project: str | None = None
    chosen_location: str | None = None
    out: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False, soft_wrap=True))

    def project(self, info: Ready) -> str:
        """The project to work in: the one chosen for this invocation, else the server's default."""
        return self.chosen_project or info.project

    @property
    def run_folder(self) -> Path:
        """Where a serving server announces itself."""
        return self.settings.path("run")

    def note(self, text: str) -> None:
        """Say something to the person, if somebody is there still; never part of the result."""
        with suppress(OSError):
            self.err.print(text, markup=False)

    def show(self, value: Any, human: Callable[[], None] | str) -> None:
        """Print a result: as JSON when asked, else as a person reads it."""
        if self.as_json:
            json.dump(value, sys.stdout, indent=2)
            sys.stdout.write("\n")
        elif isinstance(human, str):
            self.out.print(human, markup=False)
        else:
            human()

    def table(self, rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> None:
        """Print rows under headings: a drawn table on a terminal, aligned text elsewhere."""
        if self.out.is_terminal:
            drawn = Table(box=None, pad_edge=False, header_style="bold")
            for column in columns:
                drawn.add_column(column, overflow="fold")
            for row in rows:
                drawn.add_row(*(row.get(column, "") for column in columns))
            self.out.print(drawn)
            return
        lines = [list(columns), *([row.get(column, "") for column in columns] for row in rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
        for line in lines:
            self.out.print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
