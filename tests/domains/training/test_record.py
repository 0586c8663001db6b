"""The lineage of a run says what was really read, no more; and writing it down keeps nobody waiting."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

from tests.domains.parts import NUMBER, Parts

from trigpoint.core import messages
from trigpoint.core.pb.google.cloud.aiplatform.v1.execution_pb import Execution
from trigpoint.domains.jobs import Replica
from trigpoint.domains.training.record import Recorded, Run, pieces, record
from trigpoint.store import graph
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
    told: Any = parts.ask("MetadataService", handlers, "QueryContextLineageSubgraph", {"context": summary.context})
    uris = {one.name: one.uri for one in told.artifacts}
    names = {one.name: one.display_name for one in told.executions}
    found: dict[str, set[tuple[str, str]]] = {name: set() for name in names.values()}
    for event in told.events:
        found[names[event.execution]].add((event.type.name.lower(), uris[event.artifact]))
    counts = {"artifacts": len(uris), "executions": len(names), "links": len(told.events)}
    assert summary.counts() == {"context": summary.context, **counts}
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


def test_a_run_that_touched_much_is_written_down_piece_by_piece(parts: Parts) -> None:
    kernel, lineage, one = parts.kernel, parts.lineage, replica(0)
    seen = [(one, Access(one.name, "me@x", f"gs://b/{n}", n, write=n % 2 == 0)) for n in range(450)]
    run = Run(f"{HERE}/trainingPipelines/5", "run", one.job, Execution.State.COMPLETE, replicas=[one], seen=seen)
    found = [*pieces(run), replace(run, seen=())]
    assert [len(piece.seen) for piece in found] == [200, 200, 50, 0]
    written = [
        kernel.store.write(lambda tx, piece=piece: record(tx, lineage, piece))  # type: ignore[misc]
        for piece in [*found, *found]
    ]
    whole = reduce(Recorded.with_, written)
    assert (len(whole.artifacts), len(whole.executions), len(whole.links)) == (450, 2, 450)
    name = f"{HERE}/metadataStores/default/executions/replica-5-1-workerpool0-0"
    edges = kernel.store.read(lambda tx: graph.of_executions(tx, [name]))
    assert len(edges) == 450
    assert sum(edge.output for edge in edges) == 225


def test_files_may_be_called_as_programs_like(parts: Parts) -> None:
    one = replica(0)
    seen = [(one, access(uri, write=True)) for uri in ("gs://b/a\tb", "gs://b/\x1b[31mred", f"gs://b/{'x' * 500}")]
    run = Run("", "odd", JOB, Execution.State.COMPLETE, replicas=[one], seen=seen)
    assert links(parts, run)["workerpool0-0"] == {("output", one.uri) for _, one in seen}


def test_a_job_without_a_pipeline_is_a_run_of_its_own(parts: Parts) -> None:
    one = replica(0)
    seen = [(one, access("gs://b/in.csv")), (one, access("gs://b/out.csv", write=True))]
    run = Run("", "alone", JOB, Execution.State.FAILED, packages=[PACKAGE], replicas=[one], seen=seen)
    found = links(parts, run)
    assert found == {
        "alone": {("input", PACKAGE)},
        "workerpool0-0": {("input", "gs://b/in.csv"), ("output", "gs://b/out.csv")},
    }
    told: Any = parts.ask(
        "MetadataService",
        parts.lineage.handlers(),
        "GetContext",
        {"name": f"{HERE}/metadataStores/default/contexts/job-5"},
    )
    assert (told.display_name, told.schema_title) == ("alone", "")
    assert messages.plain(told.metadata) == {"customJob": JOB}
