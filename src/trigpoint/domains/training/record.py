"""Writes the lineage of one training run: what was read, by which code, run by whom, and what came of it.

dataset -> job -> splits -> replicas, package -> job and replicas, job -> model; and whatever each replica was seen to
read and write through the storage surface. Everything is create-or-get, so that recording twice changes nothing.
Schemas: vertex-services.md sections 1.4 and 1.5.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from trigpoint.core import messages
from trigpoint.core.names import LOCATION, id_of, mapping
from trigpoint.core.pb.google.cloud.aiplatform.v1.artifact_pb import Artifact
from trigpoint.core.pb.google.cloud.aiplatform.v1.context_pb import Context
from trigpoint.core.pb.google.cloud.aiplatform.v1.execution_pb import Execution
from trigpoint.domains.jobs import Replica
from trigpoint.domains.lineage import Lineage
from trigpoint.store import Tx
from trigpoint.store.telemetry import Access

_VERSION = "0.0.1"
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a run that is over."""

    pipeline: str
    """Empty for a job that no pipeline launched."""
    display_name: str
    job: str
    state: Execution.State
    dataset_artifact: str = ""
    """Full name of the dataset's own artifact."""
    splits: Sequence[str] = ()
    """`gs://` patterns of the exported files."""
    packages: Sequence[str] = ()
    model_artifact: str = ""
    """Full name of the registered model version's own artifact."""
    replicas: Sequence[Replica] = ()
    seen: Sequence[tuple[Replica, Access]] = field(default_factory=tuple)
    """What each replica read and wrote."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was written: the run's context, and names of what it holds."""

    context: str
    artifacts: frozenset[str]
    executions: frozenset[str]
    links: frozenset[tuple[str, str, bool]]

    def with_(self, other: "Recorded") -> "Recorded":
        """Return what this and another piece of the same run come to."""
        return Recorded(
            self.context,
            self.artifacts | other.artifacts,
            self.executions | other.executions,
            self.links | other.links,
        )

    def counts(self) -> dict[str, Any]:
        """Return the context, and how many nodes and links it holds."""
        return {
            "context": self.context,
            "artifacts": len(self.artifacts),
            "executions": len(self.executions),
            "links": len(self.links),
        }


def pieces(run: Run) -> Iterator[Run]:
    """Yield a run with what its replicas touched piece by piece: nobody else can write while one is recorded."""
    for start in range(0, len(run.seen), _AT_ONCE):
        yield replace(run, seen=run.seen[start : start + _AT_ONCE])


def record(tx: Tx, lineage: Lineage, run: Run) -> Recorded:
    """Write one run, or a piece of it, in the caller's transaction; say what that was."""
    found = mapping(run.job)
    location = LOCATION.build(project=found["projects"], location=found["locations"])
    store = lineage.ensure_store(tx, location)
    pen = _Pen(tx, lineage, store)
    job = pen.execution(f"job-{id_of(run.job)}", "system.CustomJobExecution", run.display_name, run.state, _job(run))
    inputs = [pen.artifact("package", uri, "system.Artifact") for uri in run.packages]
    splits = [pen.artifact("split", uri, "system.Dataset") for uri in run.splits]
    replicas = [pen.replica(replica, run) for replica in run.replicas]
    for artifact in [run.dataset_artifact, *inputs]:
        pen.link(job, artifact, output=False)
    for artifact in [*splits, run.model_artifact]:
        pen.link(job, artifact, output=True)
    known = {**dict(zip(run.packages, inputs, strict=True)), **dict(zip(run.splits, splits, strict=True))}
    executions = {replica.name: name for replica, name in zip(run.replicas, replicas, strict=True)}
    touched = []
    for replica_record, access in run.seen:
        thing = pen.object(access)
        touched.append(thing)
        pen.link(executions[replica_record.name], thing, output=access.write)
        whole = "" if access.write else _part_of(access.uri, known)
        if whole:  # a package or a split that it was told of counts as read only where something of it was
            pen.link(executions[replica_record.name], whole, output=False)
    context = pen.context(run)
    artifacts = {run.dataset_artifact, run.model_artifact, *inputs, *splits, *touched} - {""}
    lineage.associate(tx, context, [*sorted(artifacts), job, *replicas])
    return Recorded(context, frozenset(artifacts), frozenset([job, *replicas]), frozenset(pen.links))


@dataclass(frozen=True, slots=True)
class _Pen:
    """Puts nodes and edges of one run."""

    tx: Tx
    lineage: Lineage
    store: str
    links: set[tuple[str, str, bool]] = field(default_factory=set)

    def link(self, execution: str, artifact: str, *, output: bool) -> None:
        if artifact and (execution, artifact, output) not in self.links:
            self.lineage.link(self.tx, execution, artifact, output=output)
            self.links.add((execution, artifact, output))

    def artifact(self, role: str, uri: str, schema: str, **facts: Any) -> str:
        made = Artifact(
            display_name=_shown(uri.rsplit("/", 1)[-1] or uri),
            uri=uri,
            state=Artifact.State.LIVE,
            schema_title=schema,
            schema_version=_VERSION,
            metadata=messages.struct({"role": role, **facts}),
        )
        return self.lineage.put_artifact(self.tx, self.store, f"{role}-{_digest(uri, str(facts))}", made)

    def object(self, access: Access) -> str:
        return self.artifact("object", access.uri, "system.Artifact", generation=str(access.generation))

    def execution(self, ident: str, schema: str, name: str, state: Execution.State, facts: dict[str, Any]) -> str:
        made = Execution(
            display_name=name[:128],
            state=state,
            schema_title=schema,
            schema_version=_VERSION,
            metadata=messages.struct(facts),
        )
        return self.lineage.put_execution(self.tx, self.store, ident, made)

    def replica(self, replica: Replica, run: Run) -> str:
        facts = {
            "customJob": replica.job,
            "task": replica.task,
            "host": replica.host,
            "machineType": replica.machine_type,
            "image": replica.image,
            "python": str(replica.environment.get("python", "")),
            "serviceAccount": replica.identity,
            "tenantProject": replica.tenant,
            "runtime": replica.runtime,
            "exitCode": (replica.outcome or {}).get("exit_code"),
        }
        ident = f"replica-{replica.uid}-{replica.task}"
        return self.execution(ident, "system.ContainerExecution", replica.task, run.state, facts)

    def context(self, run: Run) -> str:
        made = Context(
            display_name=run.display_name[:128],
            schema_title="system.PipelineRun" if run.pipeline else "",
            schema_version=_VERSION if run.pipeline else "",
            metadata=messages.struct(_whose(run)),
        )
        ident = f"training-{id_of(run.pipeline)}" if run.pipeline else f"job-{id_of(run.job)}"
        return self.lineage.put_context(self.tx, self.store, ident, made)


def _shown(name: str) -> str:
    """Return what a file is called as the name of a resource: programs call files as they like."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name[:128])


def _part_of(uri: str, known: Mapping[str, str]) -> str:
    """Return the artifact of the package that an object is, or of the split whose pattern it matches; else nothing."""
    return next((name for given, name in known.items() if fnmatchcase(uri, _literal(given))), "")


def _literal(pattern: str) -> str:
    """Return a pattern in which only the star means anything."""
    return "".join(char if char == "*" else f"[{char}]" if char in "?[" else char for char in pattern)


def _job(run: Run) -> dict[str, Any]:
    return {**_whose(run), "replicas": len(run.replicas)}


def _whose(run: Run) -> dict[str, str]:
    return {**({"trainingPipeline": run.pipeline} if run.pipeline else {}), "customJob": run.job}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
