"""What is written down of a training run, and that it keeps nobody waiting."""

from dataclasses import replace

from tests.domains.parts import NUMBER, Parts

from trigpoint.core.pb.google.cloud.aiplatform.v1.execution_pb import Execution
from trigpoint.domains.jobs import Replica
from trigpoint.domains.training.record import Run, pieces, record
from trigpoint.store import graph
from trigpoint.store.telemetry import Access

PARENT = f"projects/{NUMBER}/locations/us-central1"
REPLICA = Replica(
    f"{PARENT}/customJobs/7", "7-1", "workerpool0-0", 0, 0, 0, "host", "n1-standard-4", "image", "me@x", "t-tp"
)


def test_a_run_that_touched_much_is_written_down_piece_by_piece(parts: Parts) -> None:
    kernel, lineage = parts.kernel, parts.lineage
    seen = [(REPLICA, Access(REPLICA.name, "me@x", f"gs://b/{n}", n, write=n % 2 == 0)) for n in range(450)]
    run = Run(
        f"{PARENT}/trainingPipelines/5", "run", REPLICA.job, Execution.State.COMPLETE, replicas=[REPLICA], seen=seen
    )
    found = [*pieces(run), replace(run, seen=())]
    assert [len(piece.seen) for piece in found] == [200, 200, 50, 0]
    for piece in [*found, *found]:
        kernel.store.write(lambda tx, piece=piece: record(tx, lineage, piece))  # type: ignore[misc]
    replica = f"{PARENT}/metadataStores/default/executions/replica-7-1-workerpool0-0"
    edges = kernel.store.read(lambda tx: graph.of_executions(tx, [replica]))
    assert len(edges) == 450
    assert sum(edge.output for edge in edges) == 225
