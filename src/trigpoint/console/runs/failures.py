"""What the error of a run says, taken apart for people: what happened, the line that shows it, what to do. Pure.

The texts are those of domains/jobs/failures; errors of other origin are shown as they are.
"""

import re
from dataclasses import dataclass

_MORE = re.compile(r"\n?To find out more about why your job exited please check the logs:.*", re.DOTALL)
_SAID = re.compile(
    r"(?P<what>The replica (?P<task>[\w-]+) .*?)(?: Termination reason: \w+\. ?)?\n(?P<tail>.+)", re.DOTALL
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


def read(message: str) -> Failure:
    """Return the parts of an error's message."""
    text = _MORE.sub("", message).strip()
    found = _SAID.fullmatch(text)
    if found is None:
        task = re.match(r"The replica ([\w-]+) ", text)
        return Failure(text, task[1] if task else "", "", "")
    tail = found["tail"].strip()
    lines = [line for line in tail.splitlines() if line.strip()]
    return Failure(found["what"].strip(), found["task"], tail, lines[-1].strip() if lines else "")


def cause(message: str) -> str:
    """Return why something failed in one line; empty for no message."""
    if not message:
        return ""
    found = read(message)
    return (found.line or found.what.splitlines()[0])[:300]
