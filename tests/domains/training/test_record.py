"""The lineage of a run says what was really read, no more."""

from __future__ import annotations

from typing import Any

from tests.domains.parts import NUMBER, Parts

from trigpoint.core.pb.google.cloud.aiplatform.v1.execution_pb import Execution
from trigpoint.domains.jobs import Replica
from trigpoint.domains.training.record import Run, record
from trigpoint.store.telemetry import Access

HERE = f"projects/{NUMBER}/locations/us-central1"
JOB = f"{HERE}/customJobs/5"
SPLITS = [f"gs://b/data[1]/{name}-*.csv" for name in ("test", "training", "validation")]
PACKAGE = "gs://b/code/trainer-0.1.tar.gz"


def replica(index: int) -> Replica:
    return Replica(JOB, "5-1", f"workerpool0-{index}", 0, index, index, "h", "n1", "image", "me@x", "t-tp")


def access(uri: str, *, write: bool = False) -> Access:
    return Access("", "me@x", uri, 7, write, NUMBER, 10, 1, 1, 2)


def links(parts: Parts, run: Run) -> dict[str, set[tuple[str, str]]]:
    """Return what each execution read and wrote, by display names."""
    summary = parts.kernel.store.write(lambda tx: record(tx, parts.lineage, run))
    again = parts.kernel.store.write(lambda tx: record(tx, parts.lineage, run))
    assert again == summary
    handlers = parts.lineage.handlers()
    graph: Any = parts.ask("MetadataService", handlers, "QueryContextLineageSubgraph", {"context": summary.context})
    uris = {one.name: one.uri for one in graph.artifacts}
    names = {one.name: one.display_name for one in graph.executions}
    found: dict[str, set[tuple[str, str]]] = {name: set() for name in names.values()}
    for event in graph.events:
        found[names[event.execution]].add((event.type.name.lower(), uris[event.artifact]))
    assert (summary.artifacts, summary.executions) == (len(uris), len(names))
    assert summary.links == len(graph.events)
    return found


def test_a_split_or_package_counts_as_read_only_where_something_of_it_was(parts: Parts) -> None:
    reader, idle = replica(0), replica(1)
    seen = [
        (reader, access("gs://b/data[1]/training-00000-of-00002.csv")),
        (reader, access("gs://b/data[1]/training-00001-of-00002.csv")),
        (reader, access("gs://b/data1/test-00000.csv")),
        (reader, access(PACKAGE)),
        (reader, access("gs://b/model/m.joblib", write=True)),
        (reader, access("gs://b/data[1]/validation-1.csv", write=True)),
    ]
    run = Run(
        f"{HERE}/trainingPipelines/3",
        "run",
        JOB,
        Execution.State.COMPLETE,
        splits=SPLITS,
        packages=[PACKAGE],
        replicas=[reader, idle],
        seen=seen,
    )
    found = links(parts, run)
    assert found.pop("run") == {("input", PACKAGE), *(("output", uri) for uri in SPLITS)}
    assert found == {
        "workerpool0-0": {
            ("input", "gs://b/data[1]/training-00000-of-00002.csv"),
            ("input", "gs://b/data[1]/training-00001-of-00002.csv"),
            ("input", "gs://b/data[1]/training-*.csv"),
            ("input", "gs://b/data1/test-00000.csv"),
            ("input", PACKAGE),
            ("output", "gs://b/model/m.joblib"),
            ("output", "gs://b/data[1]/validation-1.csv"),
        },
        "workerpool0-1": set(),
    }
