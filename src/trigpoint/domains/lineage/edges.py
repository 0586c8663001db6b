"""Edges of the lineage graph: memberships, kinship of contexts, events, and the subgraphs that they make."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from trigpoint.core import messages
from trigpoint.core.call import Call
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.names import parent_of
from trigpoint.core.pb.google.cloud.aiplatform.v1.event_pb import Event
from trigpoint.core.pb.google.cloud.aiplatform.v1.lineage_subgraph_pb import LineageSubgraph
from trigpoint.core.pb.google.cloud.aiplatform.v1.metadata_service_pb import (
    AddContextArtifactsAndExecutionsResponse,
    AddContextChildrenResponse,
    AddExecutionEventsResponse,
    RemoveContextChildrenResponse,
)
from trigpoint.domains.lineage import rules, sentences
from trigpoint.domains.lineage.kinds import ARTIFACT, ARTIFACTS, CONTEXT, EXECUTION, EXECUTIONS, NodeKind
from trigpoint.kernel.resource import Kernel, Kind, M, missing
from trigpoint.store import Tx, graph, resources
from trigpoint.store.graph import Edge
from trigpoint.store.resources import Row

Among = Callable[[Tx, str, set[str], str], set[str]]
"""Returns those of the named artifacts of a store that meet a filter."""


class Edges:
    """What connects nodes. Thread-safe; adding what is there and removing what is not are no errors."""

    def __init__(self, kernel: Kernel, artifacts_among: Among) -> None:
        self._kernel = kernel
        self._among = artifacts_among

    def add_members(self, call: Call, request: Any) -> AddContextArtifactsAndExecutionsResponse:
        """AddContextArtifactsAndExecutions."""
        store = _store_of(request.context, CONTEXT, "context")
        rules.same_store(store, request.artifacts, "artifacts", "artifacts")
        rules.same_store(store, request.executions, "executions", "executions")

        def unit(tx: Tx) -> None:
            self._kernel.load_in(tx, CONTEXT, request.context)
            _require(tx, ARTIFACTS, request.artifacts)
            _require(tx, EXECUTIONS, request.executions)
            for name in (*request.artifacts, *request.executions):
                graph.join(tx, request.context, name)

        self._kernel.store.write(unit)
        return AddContextArtifactsAndExecutionsResponse()

    def add_children(self, call: Call, request: Any) -> AddContextChildrenResponse:
        """AddContextChildren: InvalidArgument for a circle or an eleventh parent."""
        store = _store_of(request.context, CONTEXT, "context")
        rules.same_store(store, request.child_contexts, "contexts", "child_contexts")

        def unit(tx: Tx) -> None:
            self._kernel.load_in(tx, CONTEXT, request.context)
            above = frozenset(graph.ancestors(tx, request.context))
            for child in request.child_contexts:
                self._kernel.load_in(tx, CONTEXT, child)
                parents = [parent for parent, _ in graph.parents(tx, [child])]
                rules.adoption(request.context, child, above, parents)
                graph.adopt(tx, request.context, child)

        self._kernel.store.write(unit)
        return AddContextChildrenResponse()

    def remove_children(self, call: Call, request: Any) -> RemoveContextChildrenResponse:
        """RemoveContextChildren."""
        _store_of(request.context, CONTEXT, "context")

        def unit(tx: Tx) -> None:
            self._kernel.load_in(tx, CONTEXT, request.context)
            for child in request.child_contexts:
                graph.orphan(tx, request.context, child)

        self._kernel.store.write(unit)
        return RemoveContextChildrenResponse()

    def add_events(self, call: Call, request: Any) -> AddExecutionEventsResponse:
        """AddExecutionEvents: each says that the execution read (INPUT) or wrote (OUTPUT) an artifact."""
        store = _store_of(request.execution, EXECUTION, "execution")
        rules.same_store(store, [event.artifact for event in request.events], "artifacts", "events.artifact")
        for event in request.events:
            if event.type not in (Event.Type.INPUT, Event.Type.OUTPUT):
                raise InvalidArgument(violations=[Violation("events.type", sentences.EVENT_TYPE)])

        def unit(tx: Tx) -> None:
            self._kernel.load_in(tx, EXECUTION, request.execution)
            _require(tx, ARTIFACTS, [event.artifact for event in request.events])
            for event in request.events:
                output = event.type == Event.Type.OUTPUT
                self.link(tx, request.execution, event.artifact, output=output, labels=event.labels)

        self._kernel.store.write(unit)
        return AddExecutionEventsResponse()

    def link(
        self, tx: Tx, execution: str, artifact: str, *, output: bool, labels: Mapping[str, str] | None = None
    ) -> None:
        """Record one event in the caller's transaction; an event that is there keeps its time and labels."""
        graph.link(tx, Edge(execution, artifact, output, self._kernel.clock.now(), labels or {}))

    def of_context(self, call: Call, request: Any) -> LineageSubgraph:
        """QueryContextLineageSubgraph: its direct members and the events between them."""
        _store_of(request.context, CONTEXT, "context")

        def read(tx: Tx) -> LineageSubgraph:
            self._kernel.load_in(tx, CONTEXT, request.context)
            names = {node for _, node in graph.members(tx, [request.context])}
            artifacts = {name for name in names if _is(ARTIFACTS, name)}
            executions = names - artifacts
            hint = sentences.LIST_THEM
            rules.bounded(len(artifacts), rules.MOST_IN_CONTEXT, sentences.ARTIFACTS, hint)
            rules.bounded(len(executions), rules.MOST_IN_CONTEXT, sentences.EXECUTIONS, hint)
            edges = [edge for edge in graph.of_executions(tx, executions) if edge.artifact in artifacts]
            rules.bounded(len(edges), rules.MOST_IN_CONTEXT, sentences.EVENTS, hint)
            return _subgraph(tx, artifacts, executions, edges)

        return self._kernel.store.read(read)

    def of_execution(self, call: Call, request: Any) -> LineageSubgraph:
        """QueryExecutionInputsAndOutputs."""
        _store_of(request.execution, EXECUTION, "execution")

        def read(tx: Tx) -> LineageSubgraph:
            self._kernel.load_in(tx, EXECUTION, request.execution)
            edges = graph.of_executions(tx, [request.execution])
            return _subgraph(tx, {edge.artifact for edge in edges}, {request.execution}, edges)

        return self._kernel.store.read(read)

    def of_artifact(self, call: Call, request: Any) -> LineageSubgraph:
        """QueryArtifactLineageSubgraph: what is within `max_hops` steps in either direction; 0 is without a bound.

        A step leads from an artifact to an execution or back. `filter` leaves artifacts out of the answer, with their
        events, not out of the way.
        """
        _store_of(request.artifact, ARTIFACT, "artifact")
        hops = rules.hops(request.max_hops)

        def read(tx: Tx) -> LineageSubgraph:
            self._kernel.load_in(tx, ARTIFACT, request.artifact)
            edges = graph.walk(tx, [request.artifact], hops, rules.MOST_REACHED + 1)
            rules.bounded(len(edges), rules.MOST_REACHED, sentences.EVENTS, sentences.FEWER_STEPS)
            artifacts = {request.artifact} | {edge.artifact for edge in edges}
            executions = {edge.execution for edge in edges}
            if request.filter:
                artifacts = self._among(tx, parent_of(request.artifact), artifacts, request.filter)
                edges = [edge for edge in edges if edge.artifact in artifacts]
            return _subgraph(tx, artifacts, executions, edges)

        return self._kernel.store.read(read)


def _store_of(name: str, kind: Any, field: str) -> str:
    kind.pattern.parse(name, field)
    return parent_of(name)


def _is(node: NodeKind, name: str) -> bool:
    return name.rsplit("/", 2)[-2] == node.collection


def _require(tx: Tx, node: NodeKind, names: Iterable[str]) -> None:
    wanted = list(names)
    found = resources.get_all(tx, wanted)
    for name in wanted:
        if name not in found:
            raise missing(node.kind, name)


def _subgraph(tx: Tx, artifacts: Iterable[str], executions: Iterable[str], edges: Iterable[Edge]) -> LineageSubgraph:
    """Return the message of nodes that exist and edges, oldest nodes first."""
    rows = sorted(
        resources.get_all(tx, {*artifacts, *executions}).values(), key=lambda row: (row.create_time, row.name)
    )
    return LineageSubgraph(
        artifacts=_decoded(ARTIFACT, rows),
        executions=_decoded(EXECUTION, rows),
        events=[_event(edge) for edge in sorted(edges, key=lambda e: (e.time, e.execution, e.artifact))],
    )


def _decoded(kind: Kind[M], rows: Iterable[Row]) -> list[M]:
    return [messages.decode(kind.message, row.message) for row in rows if row.kind == kind.collection]


def _event(edge: Edge) -> Event:
    return Event(
        artifact=edge.artifact,
        execution=edge.execution,
        event_time=messages.timestamp(edge.time),
        type=Event.Type.OUTPUT if edge.output else Event.Type.INPUT,
        labels=dict(edge.labels),
    )
