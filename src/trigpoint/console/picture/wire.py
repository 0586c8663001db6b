"""The picture of a run as the page gets it: first whole, then what changed. `rules` says what each kind stands for.

Everything is as steps in time, so that the page can show any instant: a node or edge is there from `since` on, its
state and its amounts at an instant are those of the last step before it. Members are single words, so that the JSON is
written without looking at them.
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
    "orders",
    "copies",
    "asks",
    "stands",
    "logs",
    "registers",
    "becomes",
    "records",
    "restarts",
]


@dataclass(frozen=True, slots=True)
class State:
    """A state and when it was entered."""

    time: Micros
    state: str
    reason: str = ""
    """Why it waits or failed, for people."""
    printed: bool = False
    """Whether a program printed that; else the service says it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What became known with it, and holds from then on."""


@dataclass(frozen=True, slots=True)
class Amount:
    """What had passed over an edge by a time: totals, which never fall. Only what was measured is not 0.

    Totals are exact at the times that are given; of what passed in between, they are the least.
    """

    time: Micros
    bytes: int = 0
    rows: int = 0
    lines: int = 0
    count: int = 0
    """Calls, opens, tokens; of files below /gcs at least so many."""


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
    """What is worth showing at once and known since the node is there; objects in it carry times of their own."""


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
    """What passed, where a word of it is known: the SDK's method, the split's name; `rules` lists the others."""
    facts: Mapping[str, Any] = field(default_factory=dict)


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
class Growth:
    """How the amounts of an edge went on: the first `keep` of them stay, `amounts` come after those."""

    id: str
    until: Micros
    keep: int
    amounts: Sequence[Amount]


@dataclass(frozen=True, slots=True)
class Patch:
    """What changed since the last message of a stream: whole nodes and edges to put in or replace, by id."""

    title: str
    state: str
    until: Micros
    tenant: str
    nodes: Sequence[Node] = ()
    edges: Sequence[Edge] = ()
    """New ones, and those of which more changed than `until` and amounts."""
    grown: Sequence[Growth] = ()
    moments: Sequence[Moment] = ()
    """New ones, to put after those before."""
    gone: Sequence[str] = ()
    """Ids of nodes and edges that are not part of the picture any more."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable of a program."""

    name: str
    value: str
    origin: Literal["user", "cluster", "service"]
    """Who set it: the job's specification, the place in the cluster, or the service around it."""
    hidden: bool = False
    """Whether the value is kept back: it is a secret by its name, and a read-only link looks."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An object or, with a star at its end, all of a folder that are too many to be told apart."""

    uri: str
    generation: str
    """Decimal; empty where it stands for many."""
    time: Micros
    """When it was first touched; 0 when it lies there and nobody did."""
    last: Micros
    size: int
    """Bytes of this generation; -1 where that is not known any more."""
    read: int
    """Bytes that the run's replicas read of it."""
    written: int
    """Bytes that they wrote."""
    opens: int
    replicas: Sequence[str]
    """Ids of the nodes of those who touched it."""
    copied: int = 0
    """Bytes that storage itself copied of it or into it at their call."""
    reads: Sequence[Amount] = ()
    """How `read` came about."""
    writes: Sequence[Amount] = ()
    """How `written` came about."""
    copies: Sequence[Amount] = ()
    """How `copied` came about."""
    openings: Sequence[Amount] = ()
    """How often it was opened below /gcs to be read, and its size: how much was read is not seen there."""


@dataclass(frozen=True, slots=True)
class Known:
    """What became known of a node at a time. It holds until something newer of the same name; None is nothing new."""

    time: Micros
    resource: Mapping[str, Any] | None = None
    """The API resource that it stands for, as JSON."""
    variables: Sequence[Variable] | None = None
    """Of a replica: those that the job gives its program; from when that runs on, those that it really has."""
    command: Sequence[str] | None = None
    """The command line: what the job's specification says; from when the program runs on, what was started."""
    cluster: Mapping[str, Any] | None = None
    """CLUSTER_SPEC, read."""
    lost: Sequence[str] | None = None
    """What was asked for and is not enforced or not observed, a sentence each."""
    evidence: str | None = None
    """The end of what a program that failed printed."""
    packages: Mapping[str, str] | None = None
    """Name -> version of what is installed."""
    columns: Sequence[Mapping[str, Any]] | None = None
    """Of a dataset, once somebody has looked at them (`datasets/profile`)."""
    members: Sequence[str] | None = None
    """Full names of what it holds: the nodes of a lineage context."""


@dataclass(frozen=True, slots=True)
class NodeDetails:
    """One node, opened: what a card has no room for, in time as the picture is. `opened.at` cuts it at an instant."""

    node: Node
    known: Sequence[Known] = ()
    """In the order of their times."""
    objects: Sequence[Thing] = ()
    usage: Sequence[Mapping[str, Any]] = ()
    """Signs of life of a replica, each with its `time`."""
