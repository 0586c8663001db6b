"""The picture of a run as the page gets it: first whole, then what changed. `rules` says what each kind stands for.

Everything is as steps in time, so that the page can show any instant: a node or edge is there from `since` on, its
state and its amounts at an instant are those of the last step before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from trigpoint.core.clock import Micros

Region = Literal["user", "tenant"]
NodeKind = Literal[
    "caller",
    "source",
    "dataset",
    "splits",
    "package",
    "pipeline",
    "job",
    "files",
    "model",
    "lineage",
    "logs",
    "queue",
    "image",
    "attempt",
    "pool",
    "replica",
    "account",
    "metadata",
]
EdgeKind = Literal[
    "calls",
    "takes",
    "exports",
    "launches",
    "waits",
    "admits",
    "provides",
    "fetches",
    "reads",
    "writes",
    "asks",
    "stands",
    "logs",
    "registers",
    "records",
]


@dataclass(frozen=True, slots=True)
class State:
    """A state and when it was entered."""

    time: Micros
    state: str
    reason: str = ""
    """Why it waits or failed, for people."""


@dataclass(frozen=True, slots=True)
class Amount:
    """What had passed over an edge by a time: totals, which never fall. Only what was measured is not 0."""

    time: Micros
    bytes: int = 0
    rows: int = 0
    lines: int = 0
    count: int = 0
    """Calls, opens, tokens."""


@dataclass(frozen=True, slots=True)
class Node:
    """Somebody or something that took part."""

    id: str
    """Stable within the picture."""
    kind: NodeKind
    region: Region
    title: str
    since: Micros
    until: Micros = 0
    """When it was over; 0 while it is not, or where nothing ends."""
    parent: str = ""
    """Id of the node that holds it: an attempt holds pools, a pool its replicas."""
    resource: str = ""
    """Full name of the resource or `gs://` URI that it stands for."""
    states: Sequence[State] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is worth showing at once; the rest comes when the node is opened."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Something that was observed to pass from one node to another."""

    id: str
    kind: EdgeKind
    source: str
    target: str
    since: Micros
    until: Micros = 0
    """The last time something passed."""
    amounts: Sequence[Amount] = ()
    label: str = ""
    """What passed, where a word of it is known: the SDK's method, the split's name."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A mark on the time line: one line of the narrative."""

    seq: int
    time: Micros
    kind: str
    node: str
    """Id of the node it concerns."""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """One run, as observed so far."""

    run: str
    """Full name of the pipeline, or of the job where there is no pipeline."""
    title: str
    project: str
    """Id of the user's project."""
    tenant: str
    """Id of the tenant project."""
    state: str
    since: Micros
    until: Micros
    """When the run ended; 0 while it lives."""
    nodes: Sequence[Node]
    edges: Sequence[Edge]
    moments: Sequence[Moment]


@dataclass(frozen=True, slots=True)
class Patch:
    """What changed since the last message of a stream: whole nodes and edges to put in or replace, by id."""

    state: str
    until: Micros
    nodes: Sequence[Node] = ()
    edges: Sequence[Edge] = ()
    moments: Sequence[Moment] = ()
    gone: Sequence[str] = ()
    """Ids of nodes and edges that are not part of the picture any more."""
