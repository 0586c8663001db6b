"""The edges of lineage: executions and artifacts, members and children of contexts; the nodes are rows of resources.

Which edges make sense, and what a hop is to the API, is for the lineage slice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Index, Table, bindparam, delete, or_, select
from sqlalchemy import text as sql_text

from trigpoint.core.clock import Micros
from trigpoint.core.errors import DataLoss
from trigpoint.store import sentences
from trigpoint.store.rows import dump, load
from trigpoint.store.schema import METADATA, integer, key, seal, sealed, text
from trigpoint.store.tx import Prepared, Tx, Values

EDGES = sealed(
    Table(
        "graph_edges",
        METADATA,
        key("execution"),
        key("artifact"),
        key("output"),
        integer("time"),
        text("labels"),
        integer("seal"),
        Index("graph_edges_by_artifact", "artifact", "execution"),
    )
)
MEMBERS = Table(
    "graph_members",
    METADATA,
    key("context"),
    key("node"),
    Index("graph_members_by_node", "node", "context"),
)
CHILDREN = Table(
    "graph_children",
    METADATA,
    key("parent"),
    key("child"),
    Index("graph_children_by_child", "child", "parent"),
)
CHUNK = 400
"""Names in one query of many, well below what either database takes."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An execution read an artifact, or wrote it when `output`."""

    execution: str
    artifact: str
    output: bool
    time: Micros = 0
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)


_LINK = Prepared(
    sql_text(
        "INSERT INTO graph_edges (execution, artifact, output, time, labels, seal) "
        "VALUES (:execution, :artifact, :output, :time, :labels, :seal) ON CONFLICT DO NOTHING"
    )
)
_JOIN = Prepared(sql_text("INSERT INTO graph_members (context, node) VALUES (:context, :node) ON CONFLICT DO NOTHING"))
_LEAVE = Prepared(delete(MEMBERS).where(MEMBERS.c.context == bindparam("context"), MEMBERS.c.node == bindparam("node")))
_ADOPT = Prepared(
    sql_text("INSERT INTO graph_children (parent, child) VALUES (:parent, :child) ON CONFLICT DO NOTHING")
)
_ORPHAN = Prepared(
    delete(CHILDREN).where(CHILDREN.c.parent == bindparam("parent"), CHILDREN.c.child == bindparam("child"))
)


def link(tx: Tx, edge: Edge) -> None:
    """Add an edge. Idempotent: an edge that is there keeps its first time and labels."""
    values: dict[str, Values] = {
        "execution": edge.execution,
        "artifact": edge.artifact,
        "output": "output" if edge.output else "input",
        "time": edge.time,
        "labels": dump(edge.labels, "labels"),
    }
    tx.run(_LINK, **values, seal=seal(*values.values()))


def of_executions(tx: Tx, names: Iterable[str]) -> list[Edge]:
    """Return the edges of these executions."""
    return _edges(tx, EDGES.c.execution, names)


def of_artifacts(tx: Tx, names: Iterable[str]) -> list[Edge]:
    """Return the edges of these artifacts."""
    return _edges(tx, EDGES.c.artifact, names)


def walk(tx: Tx, artifacts: Iterable[str], hops: int, limit: int = 10_000) -> list[Edge]:
    """Return the edges within `hops` steps of these artifacts, nearest first, at least `limit` before it stops early.

    A step leads from an artifact to an execution or back, along edges of either direction.
    """
    found: dict[tuple[str, str, bool], Edge] = {}
    seen = reached = set(artifacts)
    for step in range(hops):
        edges = of_executions(tx, reached) if step % 2 else of_artifacts(tx, reached)
        for edge in edges:
            found.setdefault((edge.execution, edge.artifact, edge.output), edge)
        reached = {edge.artifact if step % 2 else edge.execution for edge in edges} - seen
        seen = seen | reached
        if not reached or len(found) >= limit:
            break
    return list(found.values())


def join(tx: Tx, context: str, node: str) -> None:
    """Make an artifact or execution a member of a context. Idempotent."""
    tx.run(_JOIN, context=context, node=node)


def leave(tx: Tx, context: str, node: str) -> None:
    """Undo `join`. Idempotent."""
    tx.run(_LEAVE, context=context, node=node)


def members(tx: Tx, contexts: Iterable[str]) -> list[tuple[str, str]]:
    """Return (context, node) of the direct members of these contexts."""
    return _pairs(tx, MEMBERS, MEMBERS.c.context, contexts)


def contexts_of(tx: Tx, nodes: Iterable[str]) -> list[tuple[str, str]]:
    """Return (context, node) of the contexts that these nodes are direct members of."""
    return _pairs(tx, MEMBERS, MEMBERS.c.node, nodes)


def adopt(tx: Tx, parent: str, child: str) -> None:
    """Make one context the child of another. Idempotent; a circle is for the caller to refuse, with `ancestors`."""
    tx.run(_ADOPT, parent=parent, child=child)


def orphan(tx: Tx, parent: str, child: str) -> None:
    """Undo `adopt`. Idempotent."""
    tx.run(_ORPHAN, parent=parent, child=child)


def children(tx: Tx, parents: Iterable[str]) -> list[tuple[str, str]]:
    """Return (parent, child) of the children of these contexts."""
    return _pairs(tx, CHILDREN, CHILDREN.c.parent, parents)


def parents(tx: Tx, children: Iterable[str]) -> list[tuple[str, str]]:
    """Return (parent, child) of the parents of these contexts."""
    return _pairs(tx, CHILDREN, CHILDREN.c.child, children)


def ancestors(tx: Tx, context: str) -> set[str]:
    """Return every context above one, itself left out unless it is in a circle."""
    found: set[str] = set()
    reached = {context}
    while reached:
        reached = {parent for parent, _ in parents(tx, reached)} - found
        found |= reached
    return found


def remove(tx: Tx, node: str) -> None:
    """Forget every edge, membership and kinship of a node that is gone. Idempotent."""
    tx.connection.execute(delete(EDGES).where(or_(EDGES.c.execution == node, EDGES.c.artifact == node)))
    tx.connection.execute(delete(MEMBERS).where(or_(MEMBERS.c.context == node, MEMBERS.c.node == node)))
    tx.connection.execute(delete(CHILDREN).where(or_(CHILDREN.c.parent == node, CHILDREN.c.child == node)))


def _edges(tx: Tx, by: ColumnElement[str], names: Iterable[str]) -> list[Edge]:
    found: list[Edge] = []
    for row in _rows(tx, EDGES, by, names):
        if seal(*row[:-1]) != row[-1]:
            raise DataLoss(sentences.LINEAGE_DAMAGED.format(name=row[1]))
        found.append(Edge(row[0], row[1], row[2] == "output", row[3], load(row[4])))
    return found


def _pairs(tx: Tx, table: Table, by: ColumnElement[str], names: Iterable[str]) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in _rows(tx, table, by, names)]


def _rows(tx: Tx, table: Table, by: ColumnElement[str], names: Iterable[str]) -> Iterable[tuple[Any, ...]]:
    wanted = sorted(set(names))
    key = list(table.primary_key.columns)
    for start in range(0, len(wanted), CHUNK):
        query = select(*table.c).where(by.in_(wanted[start : start + CHUNK])).order_by(*key)
        yield from (tuple(row) for row in tx.connection.execute(query))
