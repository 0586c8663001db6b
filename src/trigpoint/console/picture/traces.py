"""Finds in what a failed program printed the place in the user's own code that it came from. Pure."""

import re
from dataclasses import dataclass

_BEGIN = "Traceback (most recent call last)"
_FRAME = re.compile(r'\s+File "(?P<file>[^"]+)", line (?P<line>[0-9]{1,9})(?:, in (?P<name>.+))?')
_INSTALLED = re.compile(r"/lib/python[\d.]+/(?:(?:site|dist)-packages/)?")
_LAUNCHERS = ("runpy.py", "<frozen runpy>")


@dataclass(frozen=True, slots=True)
class Frame:
    """One place of a traceback."""

    file: str
    """As it is imported where it is installed, else as it was started."""
    line: int
    name: str
    """The function; empty where the file does not parse."""
    code: str
    """What stands there; empty where the traceback does not say."""


def innermost(text: str) -> Frame | None:
    """Return the last place in the user's own code of the last traceback in a text; None without one."""
    found = [(path, frame) for path, frame in _frames(text) if not path.endswith(_LAUNCHERS)]
    if not found:
        return None
    own = _package(found[0][0])
    return next((frame for path, frame in reversed(found) if _package(path) == own), found[-1][1])


def _frames(text: str) -> list[tuple[str, Frame]]:
    lines = text[max(0, text.rfind(_BEGIN)) :].splitlines()
    found = []
    for number, line in enumerate(lines):
        match = _FRAME.fullmatch(line)
        if match is not None:
            after = lines[number + 1] if number + 1 < len(lines) else ""
            code = after.strip() if after[:1].isspace() and not _FRAME.fullmatch(after) else ""
            file = _INSTALLED.split(match["file"])[-1]
            found.append((match["file"], Frame(file, int(match["line"]), match["name"] or "", code)))
    return found


def _package(path: str) -> str:
    """Return the installed package that a file belongs to; empty for what a person started from a file of theirs."""
    parts = _INSTALLED.split(path)
    return "" if len(parts) == 1 else parts[-1].partition("/")[0]
