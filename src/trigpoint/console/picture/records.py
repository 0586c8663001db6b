"""What a picture is drawn from: rows, events and telemetry of one run, read at one time. Values only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trigpoint.core.clock import Micros
from trigpoint.domains.jobs import Replica
from trigpoint.store.events import Event
from trigpoint.store.steps import Step
from trigpoint.store.telemetry import Heartbeat

READS, WRITES, COPIES, ASKS, PRINTS = "read", "write", "copy", "ask", "print"
OPENED, SAVED, FOUND = "open", "save", "find"
"""Kinds of series (store.steps), as those who record them name them. COPIES are of pairs of objects, a line each: what
storage copied, and to where. OPENED and SAVED are files below /gcs, as the
agent heard of them; FOUND are those that lay there when the job was over and that nobody was heard to write.
"""

Series = Mapping[tuple[str, str], Sequence[Step]]
"""What one replica did: (kind, thing) -> the steps of that series, in order."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A row of a resource of the API."""

    name: str
    state: str
    created: Micros
    updated: Micros
    message: Mapping[str, Any]
    """The API's JSON."""
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """One replica of one attempt, and when it was written down."""

    record: Replica
    created: Micros

    @property
    def attempt(self) -> int:
        """The number of its attempt."""
        return self.record.attempt


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that one picture needs."""

    project: str
    """Id of the user's project."""
    tenant: str
    pipeline: Resource | None
    job: Resource | None
    events: Sequence[Event]
    """Of the pipeline and of the job, in their order."""
    members: Sequence[Member] = ()
    series: Mapping[str, Series] = field(default_factory=dict)
    """By full name of the replica. A series that goes on comes in another mapping, so that drawings can be kept."""
    beats: Mapping[str, Heartbeat] = field(default_factory=dict)
    """The newest sign of life, by full name of the replica."""
    dataset: Resource | None = None
    model: Resource | None = None
    """The version that the run registered."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """`URI#GENERATION` -> bytes, of objects that were read."""

    @property
    def main(self) -> Resource:
        """The run itself: the pipeline, else the job."""
        found = self.pipeline or self.job
        assert found is not None
        return found
