"""Draws the account of a finished demo: runs, replicas, metrics, lineage, files; only draws what it is given."""

from __future__ import annotations

from typing import Any

from trigpoint.cli import lineage
from trigpoint.cli.session import Session


def draw(session: Session, facts: dict[str, Any], look: str) -> None:
    """Print the account of a demo; `look` is the link to its picture, or what to type for one."""
    for run in facts["runs"]:
        _heading(session, f"{run['display_name']}: {run['state']}")
        job = f"{_last(run['job'])}: {run['job_state']} after {run['seconds'] or 0:g} s"
        session.out.print(f"  job      {job}", markup=False)
        session.out.print(f"  metrics  {_metrics(run['metrics'])}", markup=False)
        for replica in run["metrics"].get("replicas", []):
            session.out.print(f"  {_replica(replica, run)}", markup=False)
        session.out.print(f"  model    {'/'.join(run['model'].split('/')[-2:])}, {run['artifact_uri']}", markup=False)
    _heading(session, "Lineage")
    for graph in facts["lineage"]:
        for line in lineage.drawn(graph["tree"]):
            session.out.print(f"  {line}", markup=False)
    _heading(session, "Files")
    session.out.print(f"  {facts['bucket']} is {facts['bucket_folder']}", markup=False)
    for uri in [facts["source"], facts["package"], *(uri for run in facts["runs"] for uri in run["files"])]:
        session.out.print(f"  {uri}", markup=False)
    session.out.print(f"\nThe picture of it: {look}", markup=False)
    session.out.print(f"\nDone in {facts['seconds']:g} s. Run it again, or your own: trig run -- python script.py")


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
