"""Lists and purges by every relation that lineage filters know."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from trigpoint.core import messages
from trigpoint.core.errors import InvalidArgument
from trigpoint.core.pb.google.cloud.aiplatform.v1.artifact_pb import Artifact
from trigpoint.core.pb.google.cloud.aiplatform.v1.context_pb import Context
from trigpoint.core.pb.google.cloud.aiplatform.v1.event_pb import Event
from trigpoint.core.pb.google.cloud.aiplatform.v1.execution_pb import Execution

Ask = Callable[..., Any]


@pytest.fixture
def filled(ask: Ask, store: str) -> str:
    """d, x -> train -> m, all but x in `run`, which with `other` is a child of `exp`."""
    nodes: list[tuple[str, str, dict[str, Any]]] = [
        ("d", "system.Dataset", {"rows": 344, "field:1": 10}),
        ("m", "system.Model", {"framework": "sklearn", "good": True}),
        ("x", "", {}),
    ]
    for ident, title, metadata in nodes:
        given = Artifact(
            schema_title=title,
            metadata=messages.struct(metadata),
            uri=f"gs://b/{ident}",
            display_name=f"my {ident}",
            labels={"team": ident},
            state=Artifact.State.LIVE,
        )
        ask("CreateArtifact", parent=store, artifact_id=ident, artifact=given)
    execution = Execution(schema_title="system.Run", state=Execution.State.COMPLETE)
    ask("CreateExecution", parent=store, execution_id="train", execution=execution)
    ask("CreateExecution", parent=store, execution_id="idle", execution=Execution(state=Execution.State.NEW))
    edges = [("d", Event.Type.INPUT), ("x", Event.Type.INPUT), ("m", Event.Type.OUTPUT)]
    events = [Event(artifact=f"{store}/artifacts/{name}", type=kind) for name, kind in edges]
    ask("AddExecutionEvents", execution=f"{store}/executions/train", events=events)
    for ident, title in [("exp", "system.Experiment"), ("run", "system.ExperimentRun"), ("other", "")]:
        ask("CreateContext", parent=store, context_id=ident, context=Context(schema_title=title))
    children = [f"{store}/contexts/run", f"{store}/contexts/other"]
    ask("AddContextChildren", context=f"{store}/contexts/exp", child_contexts=children)
    ask(
        "AddContextArtifactsAndExecutions",
        context=f"{store}/contexts/run",
        artifacts=[f"{store}/artifacts/d", f"{store}/artifacts/m"],
        executions=[f"{store}/executions/train"],
    )
    return store


def listed(ask: Ask, store: str, noun: str, text: str, **more: Any) -> str:
    page = ask(f"List{noun}s", parent=store, filter=text.replace("$", store), **more)
    return " ".join(item.name.rsplit("/")[-1] for item in getattr(page, f"{noun.lower()}s"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "x m d"),
        ('schema_title="system.Model"', "m"),
        ('schema_title="system.*"', "m d"),
        ('schema_title="system.Model" AND uri="gs://b/m"', "m"),
        ('(schema_title="system.Model" OR schema_title="system.Dataset") AND in_context("$/contexts/run")', "m d"),
        ('uri = "gs://b/x"', "x"),
        ("display_name = my*", "x m d"),
        ("state = LIVE", "x m d"),
        ("state != LIVE", ""),
        ('name = "$/artifacts/d"', "d"),
        ("labels.team = d", "d"),
        ('metadata.framework.string_value = "sklearn"', "m"),
        ("metadata.rows.number_value > 300", "d"),
        ("metadata.good.bool_value = true", "m"),
        ('metadata."field:1".number_value = 10.0', "d"),
        ('create_time > "2020-01-01T00:00:00Z"', "x m d"),
        ('with_execution("$/executions/train")', "x m d"),
        ('with_execution("$/executions/idle")', ""),
        ('with_execution("*", "schema_title = \'system.Run\'")', "x m d"),
        ('with_execution("*", "state = NEW")', ""),
        ('with_execution("$/executions/train", "input = true")', "x d"),
        ('with_execution("*", "input = false AND state = COMPLETE")', "m"),
        ('with_execution("*", "event_time > \'2020-01-01T00:00:00Z\'")', "x m d"),
        ('in_context("$/contexts/exp")', ""),
        ('in_context("*", "schema_title = \'system.ExperimentRun\'")', "m d"),
        ('NOT in_context("$/contexts/run")', "x"),
    ],
)
def test_artifacts(ask: Ask, filled: str, text: str, expected: str) -> None:
    assert listed(ask, filled, "Artifact", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('in_context("$/contexts/run")', "train"),
        ('with_artifact("$/artifacts/d")', "train"),
        ('with_artifact("$/artifacts/m", "input = true")', ""),
        ('with_artifact("*", "schema_title=\'system.Model\' AND input = false")', "train"),
        ('with_artifact("*", "labels.team = m")', "train"),
        ('with_artifact("*", "labels.team = none")', ""),
        ("state = NEW", "idle"),
    ],
)
def test_executions(ask: Ask, filled: str, text: str, expected: str) -> None:
    assert listed(ask, filled, "Execution", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('parent_contexts:"$/contexts/exp"', "other run"),
        ('schema_title="system.ExperimentRun" AND parent_contexts:"$/contexts/exp"', "run"),
        ('parent_contexts:"$/contexts/exp","$/contexts/run"', ""),
        ('child_contexts:"$/contexts/run"', "exp"),
        ('with_artifact("$/artifacts/d")', "run"),
        ('with_execution("*", "state = COMPLETE")', "run"),
    ],
)
def test_contexts(ask: Ask, filled: str, text: str, expected: str) -> None:
    assert listed(ask, filled, "Context", text) == expected


def test_listed_contexts_know_their_parents(ask: Ask, filled: str) -> None:
    found = ask("ListContexts", parent=filled).contexts
    parents = {each.name.rsplit("/")[-1]: each.parent_contexts for each in found}
    assert parents == {"exp": [], "run": [f"{filled}/contexts/exp"], "other": [f"{filled}/contexts/exp"]}


@pytest.mark.parametrize(
    "text",
    [
        "nofield = 1",
        "no_function(1)",
        "in_context()",
        'with_execution("a", "b = 1")',
        'with_execution("*", "input > true")',
        'with_execution("*", "event_time : 5")',
        'with_artifact("x")',
        'in_context("*", "input = true")',
        "((((((state = LIVE))))))",
        "uri",
    ],
)
def test_what_is_no_filter_is_refused_by_its_field(ask: Ask, filled: str, text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        listed(ask, filled, "Artifact", text)
    assert [violation.field for violation in caught.value.violations] == ["filter"]


@pytest.mark.parametrize(
    "text",
    [
        " AND ".join(["metadata" + ".a" * 49 + "=1"] * 150),
        " AND ".join(["uri=a"] * 400 + [f'with_execution("*", "{" AND ".join(["state=1"] * 400)}")']),
        " AND ".join(["uri=a"] * 480 + [f'with_execution("*", "{" AND ".join(["metadata.a.a.a.a.a>=1"] * 480)}")']),
    ],
)
def test_the_largest_filters_are_answered_or_refused(ask: Ask, filled: str, text: str) -> None:
    with contextlib.suppress(InvalidArgument):
        assert listed(ask, filled, "Artifact", text) == ""


def test_kinship_is_asked_by_has(ask: Ask, filled: str) -> None:
    with pytest.raises(InvalidArgument, match="parent_contexts:"):
        listed(ask, filled, "Context", 'parent_contexts > "x"')


def test_pages_and_orders(ask: Ask, filled: str) -> None:
    assert listed(ask, filled, "Artifact", "", order_by="create_time") == "d m x"
    assert listed(ask, filled, "Artifact", "", order_by="display_name desc") == "x m d"
    first = ask("ListArtifacts", parent=filled, page_size=2)
    assert len(first.artifacts) == 2
    assert listed(ask, filled, "Artifact", "", page_size=2, page_token=first.next_page_token) == "d"
    with pytest.raises(InvalidArgument):
        ask("ListExecutions", parent=filled, page_token=first.next_page_token)


def test_lineage_shows_the_artifacts_of_a_filter(ask: Ask, filled: str) -> None:
    text = 'schema_title = "system.Model"'
    found = ask("QueryArtifactLineageSubgraph", artifact=f"{filled}/artifacts/d", filter=text)
    assert [node.name.rsplit("/")[-1] for node in (*found.artifacts, *found.executions)] == ["m", "train"]
    assert [event.artifact.rsplit("/")[-1] for event in found.events] == ["m"]


def test_schemas_and_stores_are_listed(ask: Ask, store: str, location: str) -> None:
    text = 'schema_title="system.*Run" OR schema_title="google.VertexModel"'
    found = ask("ListMetadataSchemas", parent=store, filter=text).metadata_schemas
    assert sorted(each.name.rsplit("/")[-1] for each in found) == [
        "google-vertex-model-v0-0-1",
        "system-experiment-run-v0-0-1",
        "system-pipeline-run-v0-0-1",
        "system-run-v0-0-1",
    ]
    assert [each.name for each in ask("ListMetadataStores", parent=location).metadata_stores] == [store]


def test_a_purge_shows_first_and_deletes_when_forced(ask: Ask, filled: str) -> None:
    text = 'schema_title = "system.*"'
    shown = ask("PurgeArtifacts", parent=filled, filter=text)
    assert (shown.purge_count, len(shown.purge_sample)) == (2, 2)
    done = ask("PurgeArtifacts", parent=filled, filter=text, force=True)
    assert (done.purge_count, done.purge_sample) == (2, [])
    assert listed(ask, filled, "Artifact", "") == "x"
    assert (
        ask("QueryExecutionInputsAndOutputs", execution=f"{filled}/executions/train").events[0].artifact.endswith("/x")
    )
    with pytest.raises(InvalidArgument, match="is required"):
        ask("PurgeExecutions", parent=filled)
    assert ask("PurgeExecutions", parent=filled, filter="state = NEW").purge_count == 1
    assert ask("PurgeContexts", parent=filled, filter="state = NEW OR name = *").purge_count == 3
