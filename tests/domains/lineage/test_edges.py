"""Edges of the lineage graph and the subgraphs they make, over a real store."""

from collections.abc import Callable
from typing import Any

import pytest

from trigpoint.core.errors import FailedPrecondition, InvalidArgument, NotFound
from trigpoint.core.pb.google.cloud.aiplatform.v1.artifact_pb import Artifact
from trigpoint.core.pb.google.cloud.aiplatform.v1.context_pb import Context
from trigpoint.core.pb.google.cloud.aiplatform.v1.event_pb import Event
from trigpoint.core.pb.google.cloud.aiplatform.v1.execution_pb import Execution
from trigpoint.kernel.resource import Kernel
from trigpoint.store import graph

Ask = Callable[..., Any]
IN, OUT = Event.Type.INPUT, Event.Type.OUTPUT


@pytest.fixture
def chain(ask: Ask, store: str) -> str:
    """a0 -> e0 -> a1 -> e1 -> a2 -> e2 -> a3, and a side input s of e1; all of e1 in the context c."""
    for name in ("a0", "a1", "a2", "a3", "s", "lone"):
        ask("CreateArtifact", parent=store, artifact_id=name, artifact=Artifact(display_name=name))
    for number in range(3):
        ask("CreateExecution", parent=store, execution_id=f"e{number}", execution=Execution())
        edges = [(f"a{number}", IN), (f"a{number + 1}", OUT), *([("s", IN)] if number == 1 else [])]
        events = [Event(artifact=f"{store}/artifacts/{name}", type=kind) for name, kind in edges]
        ask("AddExecutionEvents", execution=f"{store}/executions/e{number}", events=events)
    ask("CreateContext", parent=store, context_id="c", context=Context())
    ask(
        "AddContextArtifactsAndExecutions",
        context=f"{store}/contexts/c",
        artifacts=[f"{store}/artifacts/a1", f"{store}/artifacts/s"],
        executions=[f"{store}/executions/e1"],
    )
    return store


def short(subgraph: Any) -> tuple[str, str, str]:
    ids = [[node.name.rsplit("/")[-1] for node in nodes] for nodes in (subgraph.artifacts, subgraph.executions)]
    edges = [(event.artifact.rsplit("/")[-1], event.execution.rsplit("/")[-1], event.type) for event in subgraph.events]
    arrows = [f"{a}>{e}" if kind == IN else f"{e}>{a}" for a, e, kind in edges]
    return " ".join(sorted(ids[0])), " ".join(sorted(ids[1])), " ".join(sorted(arrows))


@pytest.mark.parametrize(
    ("hops", "expected"),
    [
        (1, ("a0", "e0", "a0>e0")),
        (2, ("a0 a1", "e0", "a0>e0 e0>a1")),
        (3, ("a0 a1", "e0 e1", "a0>e0 a1>e1 e0>a1")),
        (4, ("a0 a1 a2 s", "e0 e1", "a0>e0 a1>e1 e0>a1 e1>a2 s>e1")),
        (0, ("a0 a1 a2 a3 s", "e0 e1 e2", "a0>e0 a1>e1 a2>e2 e0>a1 e1>a2 e2>a3 s>e1")),
    ],
)
def test_a_hop_is_a_step_to_an_execution_or_back(ask: Ask, chain: str, hops: int, expected: Any) -> None:
    found = ask("QueryArtifactLineageSubgraph", artifact=f"{chain}/artifacts/a0", max_hops=hops)
    assert short(found) == expected


def test_an_artifact_alone_is_its_own_lineage(ask: Ask, chain: str) -> None:
    assert short(ask("QueryArtifactLineageSubgraph", artifact=f"{chain}/artifacts/lone")) == ("lone", "", "")
    with pytest.raises(NotFound):
        ask("QueryArtifactLineageSubgraph", artifact=f"{chain}/artifacts/none")
    with pytest.raises(InvalidArgument, match="negative"):
        ask("QueryArtifactLineageSubgraph", artifact=f"{chain}/artifacts/lone", max_hops=-1)


def test_lineage_is_walked_against_the_arrows_too(ask: Ask, chain: str) -> None:
    found = ask("QueryArtifactLineageSubgraph", artifact=f"{chain}/artifacts/a3", max_hops=2)
    assert short(found) == ("a2 a3", "e2", "a2>e2 e2>a3")


def test_inputs_and_outputs_of_an_execution(ask: Ask, chain: str) -> None:
    found = ask("QueryExecutionInputsAndOutputs", execution=f"{chain}/executions/e1")
    assert short(found) == ("a1 a2 s", "e1", "a1>e1 e1>a2 s>e1")
    assert all(event.event_time is not None for event in found.events)


def test_a_context_shows_its_direct_members_and_the_events_between_them(ask: Ask, chain: str) -> None:
    found = ask("QueryContextLineageSubgraph", context=f"{chain}/contexts/c")
    assert short(found) == ("a1 s", "e1", "a1>e1 s>e1")


def test_a_context_with_too_many_members_is_refused(ask: Ask, chain: str, kernel: Kernel) -> None:
    def crowd(tx: Any) -> None:
        for number in range(1000):
            graph.join(tx, f"{chain}/contexts/c", f"{chain}/artifacts/x{number}")

    kernel.store.write(crowd)
    with pytest.raises(FailedPrecondition, match="more than 1000 artifacts"):
        ask("QueryContextLineageSubgraph", context=f"{chain}/contexts/c")


def test_an_event_that_is_there_is_skipped(ask: Ask, chain: str) -> None:
    before = ask("QueryExecutionInputsAndOutputs", execution=f"{chain}/executions/e0").events
    again = [Event(artifact=f"{chain}/artifacts/a0", type=IN, labels={"new": "label"})]
    ask("AddExecutionEvents", execution=f"{chain}/executions/e0", events=again)
    assert ask("QueryExecutionInputsAndOutputs", execution=f"{chain}/executions/e0").events == before


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (Event(artifact="artifacts/none", type=IN), NotFound),
        (Event(artifact="artifacts/a0"), InvalidArgument),
        (Event(artifact="executions/e0", type=IN), InvalidArgument),
    ],
)
def test_events_name_artifacts_and_a_direction(ask: Ask, chain: str, event: Event, error: type[Exception]) -> None:
    event = Event(artifact=f"{chain}/{event.artifact}", type=event.type)
    with pytest.raises(error):
        ask("AddExecutionEvents", execution=f"{chain}/executions/e0", events=[event])


def test_members_are_of_the_same_store(ask: Ask, chain: str) -> None:
    for field, name in [("artifacts", "executions/e0"), ("executions", "artifacts/a0")]:
        names = {field: [f"{chain}/{name}"]}
        with pytest.raises(InvalidArgument, match="of the same store"):
            ask("AddContextArtifactsAndExecutions", context=f"{chain}/contexts/c", **names)
    names = {"artifacts": [f"{chain}/artifacts/none"]}
    with pytest.raises(NotFound):
        ask("AddContextArtifactsAndExecutions", context=f"{chain}/contexts/c", **names)


def contexts(ask: Ask, store: str, *names: str) -> list[str]:
    for name in names:
        ask("CreateContext", parent=store, context_id=name, context=Context())
    return [f"{store}/contexts/{name}" for name in names]


def test_children_know_their_parents(ask: Ask, store: str) -> None:
    parent, other, child = contexts(ask, store, "p", "o", "k")
    for above in (parent, other, parent):
        ask("AddContextChildren", context=above, child_contexts=[child])
    assert ask("GetContext", name=child).parent_contexts == [other, parent]
    assert ask("UpdateContext", context=Context(name=child, description="d")).parent_contexts == [other, parent]
    ask("RemoveContextChildren", context=other, child_contexts=[child, f"{store}/contexts/none"])
    assert ask("GetContext", name=child).parent_contexts == [parent]
    ask("DeleteContext", name=parent)
    assert ask("GetContext", name=child).parent_contexts == []


def test_the_etag_of_a_child_stays_when_it_gets_a_parent(ask: Ask, store: str) -> None:
    parent, child = contexts(ask, store, "p", "k")
    before = ask("GetContext", name=child)
    ask("AddContextChildren", context=parent, child_contexts=[child])
    assert ask("UpdateContext", context=before).parent_contexts == [parent]


def test_contexts_form_no_circle(ask: Ask, store: str) -> None:
    first, second, third = contexts(ask, store, "first", "second", "third")
    ask("AddContextChildren", context=first, child_contexts=[second])
    ask("AddContextChildren", context=second, child_contexts=[third])
    for child in (first, third):
        with pytest.raises(InvalidArgument, match="circle"):
            ask("AddContextChildren", context=third, child_contexts=[child])


def test_an_eleventh_parent_is_refused(ask: Ask, store: str) -> None:
    *parents, child = contexts(ask, store, *(f"p{i}" for i in range(11)), "k")
    for parent in parents[:10]:
        ask("AddContextChildren", context=parent, child_contexts=[child])
    with pytest.raises(InvalidArgument, match="10 parents"):
        ask("AddContextChildren", context=parents[10], child_contexts=[child])


def test_a_deleted_node_leaves_no_edges(ask: Ask, chain: str) -> None:
    ask("DeleteArtifact", name=f"{chain}/artifacts/a1")
    found = ask("QueryArtifactLineageSubgraph", artifact=f"{chain}/artifacts/a0")
    assert short(found) == ("a0", "e0", "a0>e0")
    assert short(ask("QueryContextLineageSubgraph", context=f"{chain}/contexts/c")) == ("s", "e1", "s>e1")
