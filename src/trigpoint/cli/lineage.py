"""Turns a lineage graph into the tree of one model and draws it; where the graph comes from is left to others.

A graph has `model` (the artifact's name), `nodes` by name, each with `title`, `schema`, `metadata` and perhaps `uri`,
and `events`: lists of execution, INPUT or OUTPUT, and artifact.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from typing import Any

Graph = dict[str, Any]
Node = dict[str, Any]


def tree(graph: Graph) -> Node | None:
    """Return the model with what made it nested below: job, inputs, and the job's replicas with what they did.

    Each node has `name`, `role` (made by, from, replica, read, wrote) and `children`; None for an empty graph.
    """
    if not graph.get("model"):
        return None
    return _artifact(graph, graph["model"], "", frozenset())


def _artifact(graph: Graph, name: str, role: str, above: frozenset[str]) -> Node:
    makers = [one for one, kind, artifact in graph["events"] if artifact == name and kind == "OUTPUT"]
    children = [_execution(graph, one, above | {name}) for one in makers if one not in above]
    return _node(graph, name, role, children)


def _execution(graph: Graph, name: str, above: frozenset[str]) -> Node:
    inputs = [artifact for one, kind, artifact in graph["events"] if one == name and kind == "INPUT"]
    children = [_artifact(graph, one, "from", above | {name}) for one in inputs if one not in above]
    return _node(graph, name, "made by", children + [_replica(graph, one) for one in _replicas(graph, name)])


def _replicas(graph: Graph, job: str) -> list[str]:
    """The executions that say in their metadata that they ran for the same custom job."""
    own = _metadata(graph, job).get("customJob")
    found = [one for one in graph["nodes"] if one != job and own and _metadata(graph, one).get("customJob") == own]
    return sorted((one for one in found if "/executions/" in one), key=lambda one: str(graph["nodes"][one]["title"]))


def _replica(graph: Graph, name: str) -> Node:
    """What one replica did, each thing once: what it wrote and read again, it wrote; files stand for their pattern."""
    mine = [(kind, artifact) for one, kind, artifact in graph["events"] if one == name]
    wrote = dict.fromkeys(artifact for kind, artifact in mine if kind == "OUTPUT")
    read = dict.fromkeys(artifact for kind, artifact in mine if kind == "INPUT" and artifact not in wrote)
    seen = {graph["nodes"][artifact].get("uri", artifact): artifact for artifact in read}
    covered = {uri for uri in seen if "*" in uri and len(fnmatch.filter(seen, uri)) > 1}
    children = [_node(graph, one, "read", []) for uri, one in seen.items() if uri not in covered]
    return _node(graph, name, "replica", children + [_node(graph, one, "wrote", []) for one in wrote])


def _node(graph: Graph, name: str, role: str, children: list[Node]) -> Node:
    kept = {key: value for key, value in graph["nodes"].get(name, {}).items() if value}
    return {"name": name, "role": role, **kept, "children": children}


def _metadata(graph: Graph, name: str) -> dict[str, Any]:
    found: dict[str, Any] = graph["nodes"].get(name, {}).get("metadata", {})
    return found


def drawn(root: Node | None) -> Iterator[str]:
    """Yield the tree line by line."""
    if root is None:
        yield "none recorded"
        return
    yield _label(root)
    yield from _below(root, "")


def _below(node: Node, indent: str) -> Iterator[str]:
    for number, child in enumerate(node["children"], 1):
        last = number == len(node["children"])
        yield f"{indent}{'└─' if last else '├─'} {_label(child)}"
        yield from _below(child, indent + ("   " if last else "│  "))


def _label(node: Node) -> str:
    metadata, title = node.get("metadata", {}), node.get("title", node["name"].split("/")[-1])
    if node["role"] == "replica":
        runtime, python = metadata.get("runtime", ""), metadata.get("python", "")
        return f"replica {title} in {metadata.get('tenantProject', '')}, {runtime}, Python {python}"
    if node["role"] in ("read", "wrote"):
        return f"{node['role']} {title}"
    resource = str(metadata.get("resourceName") or metadata.get("customJob") or "")
    shown = "/".join(resource.split("/")[-2:]) if resource else node.get("uri", "")
    what = node.get("schema", "").rpartition(".")[2]
    return " ".join(part for part in (node["role"], what, "" if shown.endswith(title) else title, shown) if part)
