"""Draws the account of a finished demo: runs, replicas, metrics, lineage, files; only draws what it is given."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from rich.tree import Tree

from trigpoint.cli.session import Session


def draw(session: Session, facts: dict[str, Any]) -> None:
    """Print the account of a demo."""
    for run in facts["runs"]:
        _heading(session, f"{_last(run['pipeline'])} ({run['title']}): {run['state']}")
        session.out.print(f"  job      {_last(run['job'])}, {run['job_state']}", markup=False)
        session.out.print(f"  metrics  {_metrics(run['metrics'])}", markup=False)
        for replica in run["metrics"].get("replicas", []):
            session.out.print(f"  {_replica(replica, run)}", markup=False)
        session.out.print(f"  model    {'/'.join(run['model'].split('/')[-2:])}, {run['artifact_uri']}", markup=False)
    _heading(session, "Lineage")
    for root in facts["lineage"]["tree"]:
        session.out.print(_branch(root))
    _heading(session, "Files")
    session.out.print(f"  {facts['bucket']} is {facts['bucket_folder']}", markup=False)
    for uri in [facts["source"], facts["package"], *(uri for run in facts["runs"] for uri in run["files"])]:
        session.out.print(f"  {uri}", markup=False)
    if facts.get("console"):
        session.out.print(f"\nConsole: {facts['console']}", markup=False)
    session.out.print(f"\nDone in {facts['seconds']:g} s. Run it again, or your own: trig run -- python script.py")


def tree(lineage: dict[str, Any]) -> list[dict[str, Any]]:
    """Return lineage as nested nodes: the model, what made it, what that read, and so on; then whatever is not reached.

    `lineage` has `model` (an artifact's name), `nodes` by name and `events` (execution, INPUT or OUTPUT, artifact).
    """
    above: dict[str, list[str]] = {}
    for execution, kind, artifact in lineage.get("events", []):
        parent, child = (artifact, execution) if kind == "OUTPUT" else (execution, artifact)
        above.setdefault(parent, []).append(child)
    nodes, seen = lineage.get("nodes", {}), set[str]()

    def grown(name: str) -> dict[str, Any]:
        seen.add(name)
        node = nodes.get(name, {})
        kept = {key: node[key] for key in ("title", "schema", "uri", "metadata") if node.get(key)}
        children = [grown(child) for child in above.get(name, []) if child not in seen]
        return {"name": name, **kept, "from": children}

    roots = [grown(lineage["model"])] if lineage.get("model") else []
    made = {child for children in above.values() for child in children}
    return roots + [grown(name) for name in sorted(nodes, key=lambda one: one in made) if name not in seen]


def _branch(node: dict[str, Any]) -> Tree:
    drawn = Tree(_label(node))
    _grow(drawn, node)
    return drawn


def _grow(drawn: Tree, node: dict[str, Any]) -> None:
    for child in node["from"]:
        _grow(drawn.add(_label(child)), child)


def _label(node: dict[str, Any]) -> Text:
    name = "/".join(node["name"].split("/")[-2:])
    parts = [node.get("schema", ""), node.get("title", ""), node.get("uri", "")]
    return Text.assemble((name, "bold"), "  ", "  ".join(part for part in parts if part))


def _heading(session: Session, text: str) -> None:
    session.out.print(f"\n{text}", style="bold", markup=False)


def _metrics(metrics: dict[str, Any]) -> str:
    test = metrics["test"]
    parts = [f"test accuracy {test['accuracy']:.4f} on {test['rows']} rows"]
    if "macro_f1" in test:
        parts.append(f"macro F1 {test['macro_f1']:.4f}")
    if "cross_validation" in metrics:
        folds = metrics["cross_validation"]
        parts.append(f"cross-validation {folds['mean']:.4f} over {folds['folds']} folds")
    return ", ".join(parts)


def _replica(replica: dict[str, Any], run: dict[str, Any]) -> str:
    entries = run.get("log_entries", {}).get(replica["replica"], 0)
    return (
        f"{replica['replica']} in project {replica['project']} as {replica['identity']}, "
        f"{replica['environment']}, {entries} log entries"
    )


def _last(name: str) -> str:
    return name.split("/")[-1]
