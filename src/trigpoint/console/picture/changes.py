"""What changed from one picture to the next, as small as it can be said; and what a page makes of it. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from trigpoint.console.picture.wire import Edge, Growth, Node, Patch, Picture

T = TypeVar("T", Node, Edge)


def between(old: Picture, new: Picture) -> Patch | None:
    """Return what makes the new picture of the old one, or None when they are the same."""
    nodes, edges = _by_id(old.nodes), _by_id(old.edges)
    changed: list[Edge] = []
    grown: list[Growth] = []
    for edge in new.edges:
        before = edges.pop(edge.id, None)
        if before is edge or before == edge:
            continue
        growth = _growth(before, edge) if before is not None else None
        if growth is not None:
            grown.append(growth)
        else:
            changed.append(edge)
    fresh = [node for node in new.nodes if _differs(nodes.pop(node.id, None), node)]
    gone = [*nodes, *edges]
    said = {moment.seq for moment in old.moments}
    moments = [moment for moment in new.moments if moment.seq not in said]
    head = (new.title, new.state, new.until, new.tenant)
    if not (fresh or changed or grown or moments or gone) and head == (old.title, old.state, old.until, old.tenant):
        return None
    return Patch(*head, fresh, changed, grown, moments, gone)


def applied(picture: Picture, patch: Patch) -> Picture:
    """Return the picture after a patch: what a page does with one."""
    gone = set(patch.gone)
    nodes = {node.id: node for node in picture.nodes if node.id not in gone}
    edges = {edge.id: edge for edge in picture.edges if edge.id not in gone}
    nodes |= {node.id: node for node in patch.nodes}
    edges |= {edge.id: edge for edge in patch.edges}
    for growth in patch.grown:
        edge = edges[growth.id]
        amounts = (*edge.amounts[: growth.keep], *growth.amounts)
        edges[growth.id] = replace(edge, amounts=amounts, until=growth.until)
    return replace(
        picture,
        title=patch.title,
        state=patch.state,
        until=patch.until,
        tenant=patch.tenant,
        nodes=tuple(nodes.values()),
        edges=tuple(edges.values()),
        moments=(*picture.moments, *patch.moments),
    )


def _growth(old: Edge, new: Edge) -> Growth | None:
    """Return how an edge's amounts went on; None when something else changed too."""
    if (old.since, old.label, old.facts) != (new.since, new.label, new.facts):
        return None
    keep = 0
    for before, after in zip(old.amounts, new.amounts, strict=False):
        if before is not after and before != after:
            break
        keep += 1
    return Growth(new.id, new.until, keep, new.amounts[keep:])


def _differs(old: Node | None, new: Node) -> bool:
    return old is not new and old != new


def _by_id(found: Sequence[T]) -> dict[str, T]:
    return {one.id: one for one in found}
