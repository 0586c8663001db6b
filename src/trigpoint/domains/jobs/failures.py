"""What a job's error says: the cause, the evidence line, and what to do. Pure.

Texts follow vertex-training.md section 3.10 where the service's own wording is known; the fix is ours.
"""

import re
import string
from dataclasses import dataclass
from urllib.parse import quote

from trigpoint.agent import sentences as agent
from trigpoint.core.pb.google.rpc.status_pb import Status
from trigpoint.domains.jobs import sentences

CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL = 1, 3, 4, 8, 13
NOT_STARTED = 128
"""The exit status of a replica whose program could not be started."""
_TAIL = 3500
"""Characters of the program's own output that an error carries at most."""
_CUT = " [...]"


@dataclass(frozen=True, slots=True)
class Ending:
    """How one replica's program ended, as its agent reported it."""

    task: str
    exit_code: int | None = None
    signal: int | None = None
    out_of_memory: bool = False
    reason: str = ""
    """Empty when the program ran; otherwise why it could not be started: one sentence for people."""
    tail: str = ""
    """The last lines of its standard error; of the installer's when a package could not be installed."""
    lost: bool = False
    """Whether the agent died, so that nobody knows how the program ended."""

    @property
    def succeeded(self) -> bool:
        """Whether the program ran and exited 0."""
        return self.exit_code == 0 and not self.reason

    @property
    def status(self) -> int:
        """The exit status as a shell would give it: 128 + signal for a killed program."""
        return 128 + self.signal if self.signal else (self.exit_code if self.exit_code is not None else NOT_STARTED)


def of_ending(ending: Ending, project: str, job_id: str) -> Status:
    """Return the error of a job whose replica ended badly."""
    if ending.out_of_memory:
        text = sentences.OUT_OF_MEMORY.format(task=ending.task, status=ending.status)
    elif ending.reason:
        how = "StartError" if ending.status == NOT_STARTED else "Error"
        text = sentences.TERMINATED.format(task=ending.task, status=ending.status, how=how)
        text += f" \n{ending.reason}" + (f"\n{tail(ending.tail)}" if ending.tail else "")
    else:
        text = sentences.TERMINATED.format(task=ending.task, status=ending.status, how="Error") + " "
        text += f"\n{tail(ending.tail)}" if ending.tail else ""
    return Status(code=INVALID_ARGUMENT, message=f"{text}\n{_more(project, job_id)}")


def of_timeout(seconds: float, job_id: str) -> Status:
    """Return the error of a job that ran longer than `scheduling.timeout`."""
    return Status(code=DEADLINE_EXCEEDED, message=sentences.TIMEOUT.format(job=job_id, seconds=seconds))


def of_cancel() -> Status:
    """Return the error of a job that its user cancelled."""
    return Status(code=CANCELLED, message=sentences.CANCELLED)


def of_loss(task: str) -> Status:
    """Return the error of a job whose agent vanished more often than it may be restarted."""
    return Status(code=INTERNAL, message=sentences.LOST.format(task=task))


_TRACEBACK = "Traceback (most recent call last)"
_CHAINED = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)


def tail(text: str) -> str:
    """Return what a program said last, at most 3,500 characters, cut at a line with the elision marked.

    That is its last traceback, with those that it follows from, and whatever comes after; without one, the end.
    Of a last line that is longer than that its head is kept: it says what is wrong.
    """
    text = text[_last_traceback(text) :]
    if len(text) <= _TAIL:
        return text
    kept = text[-_TAIL:].partition("\n")[2]
    if not kept.strip():
        last = text.rstrip().rpartition("\n")[2]
        kept = f"{last[: _TAIL - len(_CUT)]}{_CUT}" if len(last) > _TAIL - len(_CUT) else last
    return "[...]\n" + kept


def told_by_agent(line: str) -> bool:
    """Return whether a line is what the agent says when it cannot make a program ready: none has run then."""
    return bool(_UNREADY.fullmatch(line))


def _pattern(template: str) -> str:
    parts = string.Formatter().parse(template)
    return "".join(re.escape(said) + (".+" if name is not None else "") for said, name, _, _ in parts)


_UNREADY = re.compile(
    "|".join(
        _pattern(template)
        for template in (
            agent.NOT_STORED,
            agent.NOT_USABLE,
            agent.NOT_INSTALLED,
            agent.NO_URI,
            agent.NO_OBJECT,
            agent.NO_ACCESS,
            agent.NOT_READ,
        )
    )
)


def _last_traceback(text: str) -> int:
    """Return where the last traceback begins that tells of an exception, and not of one that Python ignores; else 0."""
    end, found = len(text), -1
    while (at := text.rfind(_TRACEBACK, 0, end)) >= 0:
        begin = text.rfind("\n", 0, at) + 1
        before = text[:begin].rstrip()
        ignored = before.rpartition("\n")[2].startswith("Exception ignored in")
        if not ignored:
            found = begin
            if not before.endswith(_CHAINED):
                break
        end = begin
    return max(found, 0)


def _more(project: str, job_id: str) -> str:
    """Return the pointer to the logs, in the service's own form."""
    query = quote(f'resource.type="ml_job"\nresource.labels.job_id="{job_id}"', safe="")
    link = "https://console.cloud.google.com/logs/viewer"
    link += f"?project={project}&resource=ml_job%2Fjob_id%2F{job_id}&advancedFilter={query}"
    return sentences.MORE.format(link=link)
