"""What a job's error says: the cause, the evidence line, and what to do. Pure.

Texts follow vertex-training.md section 3.10 where the service's own wording is known; the fix is ours.
"""

from dataclasses import dataclass
from urllib.parse import quote

from trigpoint.core.pb.google.rpc.status_pb import Status

CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL = 1, 3, 4, 8, 13
NOT_STARTED = 128
"""The exit status of a replica whose program could not be started."""
_TAIL = 3500
"""Characters of the program's own output that an error carries at most."""


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
        text = f"The replica {ending.task} ran out of memory and exited with a non-zero status of {ending.status}. "
        text += "Use a machine type with more memory, or read the data in parts."
    elif ending.reason:
        how = "StartError" if ending.status == NOT_STARTED else "Error"
        text = f"The replica {ending.task} exited with a non-zero status of {ending.status}. "
        text += f"Termination reason: {how}. \n{ending.reason}" + (f"\n{tail(ending.tail)}" if ending.tail else "")
    else:
        text = (
            f"The replica {ending.task} exited with a non-zero status of {ending.status}. Termination reason: Error. "
        )
        text += f"\n{tail(ending.tail)}" if ending.tail else ""
    return Status(code=INVALID_ARGUMENT, message=f"{text}\n{_more(project, job_id)}")


def of_timeout(seconds: float, job_id: str) -> Status:
    """Return the error of a job that ran longer than `scheduling.timeout`."""
    text = f"The job {job_id} ran longer than its timeout of {seconds:g} s and was stopped. "
    return Status(
        code=DEADLINE_EXCEEDED, message=text + "Raise scheduling.timeout, or make the program finish earlier."
    )


def of_cancel() -> Status:
    """Return the error of a job that its user cancelled."""
    return Status(code=CANCELLED, message="The job was cancelled by the user.")


def of_loss(task: str) -> Status:
    """Return the error of a job whose agent vanished more often than it may be restarted."""
    text = f"Internal error occurred for the current attempt: the machine process of replica {task} disappeared. "
    return Status(code=INTERNAL, message=text + "It was restarted as often as allowed; run the job again.")


def of_environment(image: str, reason: str) -> Status:
    """Return the error of a job whose image could not be provided here."""
    return Status(code=INVALID_ARGUMENT, message=f"The image {image} could not be provided on this machine: {reason}")


_TRACEBACK = "Traceback (most recent call last)"
_CHAINED = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)


def tail(text: str) -> str:
    """Return what a program said last, at most 3,500 characters, cut at a line with the elision marked.

    That is its last traceback, with those that it follows from, and whatever comes after; without one, the end.
    """
    text = text[_last_traceback(text) :]
    if len(text) <= _TAIL:
        return text
    kept = text[-_TAIL:]
    return "[...]\n" + kept[kept.find("\n") + 1 :]


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
    return (
        "To find out more about why your job exited please check the logs: "
        f"{link}?project={project}&resource=ml_job%2Fjob_id%2F{job_id}&advancedFilter={query}"
    )
