"""What the error of a run says, taken apart for people: what happened, the line that shows it, what to do. Pure.

The texts are those of domains/jobs/failures; errors of other origin are shown as they are.
"""

import re
from dataclasses import dataclass

from trigpoint.console.runs.wire import Hint
from trigpoint.domains.jobs import told_by_agent

_MORE = re.compile(r"\n?To find out more about why your job exited please check the logs:.*", re.DOTALL)
_SAID = re.compile(
    r"(?P<what>The replica (?P<task>[\w-]+) .*?)(?: Termination reason: (?P<how>\w+)\. ?)?\n(?P<tail>.+)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in parts."""

    what: str
    """One sentence."""
    task: str
    """The replica at fault; empty when none is."""
    evidence: str
    """The end of what it printed; empty when it says nothing of it."""
    line: str
    """The line of the evidence that says most: a traceback's last."""
    printed: bool = False
    """Whether a program printed that line: one that reads like a sentence of the service is none then."""


def read(message: str) -> Failure:
    """Return the parts of an error's message."""
    text = _MORE.sub("", message).strip()
    found = _SAID.fullmatch(text)
    if found is None:
        task = re.match(r"The replica ([\w-]+) ", text)
        return Failure(text, task[1] if task else "", "", "")
    tail = found["tail"].strip()
    lines = [line for line in tail.splitlines() if line.strip()]
    # Of a program that could not be started the first line says why; only what is behind it was printed.
    line = lines[-1].strip() if lines else ""
    printed = len(lines) > (1 if found["how"] == "StartError" else 0) and not told_by_agent(line)
    return Failure(found["what"].strip(), found["task"], tail, line, printed)


def cause(message: str) -> tuple[str, bool]:
    """Return why something failed in one line, and whether a program printed that; empty for no message."""
    if not message:
        return "", False
    found = read(message)
    return (found.line or found.what.splitlines()[0])[:300], found.printed


# Patterns of what the service says; programs that print the like are not meant.
_SAYINGS: tuple[tuple[Hint, str], ...] = (
    ("outOfMemory", r"ran out of memory"),
    ("timeout", r"ran longer than its timeout"),
    ("lost", r"disappeared"),
    ("quota", r"quota metrics exceed|Resources are insufficient"),
)
# Patterns of what programs and the service say, the surest first.
_SIGNS: tuple[tuple[Hint, str], ...] = (
    ("outOfMemory", r"MemoryError|Cannot allocate memory"),
    ("image", r"The image .* could not be provided|is not a prebuilt image"),
    (
        "badPackage",
        r"[Cc]ould not (?:be )?(?:find|install|unpack)|is not a \w+ (?:sdist|package)|setup\.py|pip install",
    ),
    ("missingModule", r"ModuleNotFoundError|No module named|ImportError"),
    ("tenantProject", r"[a-z][0-9a-f]{16}-tp\b"),
    ("forbidden", r"\b403\b|PermissionDenied|Forbidden|does not have .* access"),
    ("noSuchObject", r"gs://\S+ (?:does not exist|was not found)|[Nn]o such object|\b404\b"),
    ("noSuchFile", r"FileNotFoundError|No such file or directory"),
    ("badArguments", r"error: (?:unrecognized arguments|the following arguments|argument )|SystemExit: 2"),
    ("crash", r"status of (?:139|134|6|11)\b|Segmentation fault"),
)


def hints(message: str) -> list[Hint]:
    """Return what kinds of failure a message looks like, the most likely first, at most three."""
    found = read(message)
    lines = found.evidence.splitlines()
    near = "\n".join([found.what, found.line, *lines[:1], *lines[-6:]])
    ours = found.what if found.printed else f"{found.what}\n{found.line}"
    looks = [hint for hint, sign in _SAYINGS if re.search(sign, ours)]
    looks += [hint for hint, sign in _SIGNS if re.search(sign, near)]
    return list(dict.fromkeys(looks))[:3]
