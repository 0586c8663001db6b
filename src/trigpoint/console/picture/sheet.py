"""Where a picture is put together: nodes by id, edges by what they connect. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from trigpoint.console.picture.wire import Amount, Edge, EdgeKind, Node, NodeKind, Region, State
from trigpoint.core.clock import Micros

EMPTY: Mapping[str, Any] = {}
TENANT: frozenset[NodeKind] = frozenset({"queue", "image", "attempt", "pool", "replica", "account", "metadata"})


@dataclass
class Sheet:
    """Nodes and edges so far."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[str, Edge] = field(default_factory=dict)

    def node(
        self,
        ident: str,
        kind: NodeKind,
        title: str,
        since: Micros,
        *,
        until: Micros = 0,
        parent: str = "",
        resource: str = "",
        states: Sequence[State] = (),
        facts: Mapping[str, Any] = EMPTY,
    ) -> None:
        """Put a node in."""
        until = max(until, since) if until else 0
        region: Region = "tenant" if kind in TENANT else "user"
        self.nodes[ident] = Node(ident, kind, region, title, since, until, parent, resource, tuple(states), facts)

    def edge(
        self,
        kind: EdgeKind,
        source: str,
        target: str,
        since: Micros,
        *,
        until: Micros = 0,
        amounts: Sequence[Amount] = (),
        label: str = "",
        facts: Mapping[str, Any] = EMPTY,
    ) -> None:
        """Make an edge and put it in, as `add` does."""
        self.add(edge(kind, source, target, since, until=until, amounts=amounts, label=label, facts=facts))

    def add(self, made: Edge) -> None:
        """Put a finished edge in, if both its ends are there; clocks may differ, but it is not older than they are."""
        ends = self.nodes.get(made.source), self.nodes.get(made.target)
        if ends[0] is None or ends[1] is None:
            return
        least = max(ends[0].since, ends[1].since, made.since)
        if least > made.since or (made.amounts and made.amounts[0].time < least):
            amounts = tuple(one if one.time >= least else replace(one, time=least) for one in made.amounts)
            made = replace(made, since=least, until=max(least, made.until) if made.until else 0, amounts=amounts)
        self.edges[made.id] = made


def edge(
    kind: EdgeKind,
    source: str,
    target: str,
    since: Micros,
    *,
    until: Micros = 0,
    amounts: Sequence[Amount] = (),
    label: str = "",
    facts: Mapping[str, Any] = EMPTY,
) -> Edge:
    """Return an edge with the id that follows from what it connects."""
    ident = f"{kind}:{source}>{target}{f'#{label}' if label else ''}"
    return Edge(ident, kind, source, target, since, max(since, until) if until else 0, tuple(amounts), label, facts)
