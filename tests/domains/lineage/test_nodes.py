"""Stores, schemas, artifacts, executions and contexts over a real store."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from trigpoint.core import messages
from trigpoint.core.errors import Aborted, AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from trigpoint.core.messages import FieldMask
from trigpoint.core.pb.google.cloud.aiplatform.v1.artifact_pb import Artifact
from trigpoint.core.pb.google.cloud.aiplatform.v1.context_pb import Context
from trigpoint.core.pb.google.cloud.aiplatform.v1.execution_pb import Execution
from trigpoint.core.pb.google.cloud.aiplatform.v1.metadata_schema_pb import MetadataSchema
from trigpoint.core.pb.google.cloud.aiplatform.v1.metadata_store_pb import MetadataStore
from trigpoint.domains.lineage import Lineage
from trigpoint.kernel.resource import Kernel
from trigpoint.store import graph

Ask = Callable[..., Any]
SCHEMA = "title: acme.Thing\ntype: object\nrequired: [a]\nproperties: {a: {type: number}}\n"


def test_a_store_is_absent_until_it_is_made_and_made_once(ask: Ask, location: str) -> None:
    name = f"{location}/metadataStores/default"
    with pytest.raises(NotFound):
        ask("GetMetadataStore", name=name)
    made = ask("CreateMetadataStore", parent=location, metadata_store_id="default", metadata_store=MetadataStore())
    assert made.name == name == ask("GetMetadataStore", name=name).name
    with pytest.raises(AlreadyExists):
        ask("CreateMetadataStore", parent=location, metadata_store_id="default")
    with pytest.raises(InvalidArgument):
        ask("CreateMetadataStore", parent=location, metadata_store_id="X")


def test_a_store_is_made_on_demand_without_being_made_twice(lineage: Lineage, kernel: Kernel, location: str) -> None:
    names = {kernel.store.write(lambda tx: lineage.ensure_store(tx, location)) for _ in range(2)}
    assert names == {f"{location}/metadataStores/default"}


def test_every_store_has_the_schemas_that_clients_expect(ask: Ask, store: str) -> None:
    found = ask("GetMetadataSchema", name=f"{store}/metadataSchemas/system-experiment-run-v0-0-1")
    assert found.schema.startswith("title: system.ExperimentRun\n")
    assert (found.schema_version, found.schema_type.name) == ("0.0.1", "CONTEXT_TYPE")


def test_a_deleted_store_is_empty_when_it_comes_back(ask: Ask, store: str, location: str) -> None:
    ask("CreateArtifact", parent=store, artifact_id="a", artifact=Artifact())
    ask("DeleteMetadataStore", name=store)
    with pytest.raises(NotFound):
        ask("GetArtifact", name=f"{store}/artifacts/a")
    with pytest.raises(NotFound):
        ask("CreateArtifact", parent=store, artifact_id="a", artifact=Artifact())
    ask("CreateMetadataStore", parent=location, metadata_store_id="default")
    with pytest.raises(NotFound):
        ask("GetArtifact", name=f"{store}/artifacts/a")


@pytest.mark.parametrize(
    ("noun", "value"),
    [
        ("Artifact", Artifact(schema_title="system.Dataset", uri="gs://b/o", state=Artifact.State.LIVE)),
        ("Execution", Execution(schema_title="system.ContainerExecution", state=Execution.State.RUNNING)),
        ("Context", Context(schema_title="system.Experiment")),
    ],
)
def test_the_life_of_a_node(ask: Ask, store: str, noun: str, value: Any) -> None:
    field = noun.lower()
    value.metadata = messages.struct({" key ": "x", "n": 1.5})
    value.labels = {"team": "a"}
    name = f"{store}/{field}s/Node_1"
    made = ask(f"Create{noun}", **{"parent": store, f"{field}_id": "Node_1", field: value})
    assert made == ask(f"Get{noun}", name=name)
    assert (made.name, made.schema_version) == (name, "0.0.1")
    assert messages.plain(made.metadata) == {"key": "x", "n": 1.5}
    assert re.fullmatch(r"\d{16}", made.etag)
    with pytest.raises(AlreadyExists):
        ask(f"Create{noun}", **{"parent": store, f"{field}_id": "Node_1", field: value})

    made.description = "new"
    made.metadata = messages.struct({"other": True})
    changed = ask(f"Update{noun}", **{field: made})
    assert changed.description == "new"
    assert messages.plain(changed.metadata) == {"other": True}
    assert changed.labels == {"team": "a"}
    assert changed.etag > made.etag

    with pytest.raises(Aborted) as caught:
        ask(f"Update{noun}", **{field: made})
    expected = f"Specified {noun} `etag`: `{made.etag}` does not match server `etag`: `{changed.etag}`"
    assert caught.value.message == expected
    with pytest.raises(FailedPrecondition, match="does not match server"):
        ask(f"Delete{noun}", name=name, etag=made.etag)
    ask(f"Delete{noun}", name=name, etag=changed.etag)
    with pytest.raises(NotFound):
        ask(f"Get{noun}", name=name)


def test_updates_by_mask_change_nothing_else(ask: Ask, store: str) -> None:
    given = Artifact(display_name="d", uri="gs://b/1", metadata=messages.struct({"a": 1, "b": 2}))
    made = ask("CreateArtifact", parent=store, artifact=given)
    given = Artifact(name=made.name, uri="gs://b/2", display_name="e", metadata=messages.struct({"a": 3}))
    found = ask("UpdateArtifact", artifact=given, update_mask=FieldMask(paths=["uri", "metadata.a"]))
    assert (found.uri, found.display_name) == ("gs://b/2", "d")
    assert messages.plain(found.metadata) == {"a": 3, "b": 2}
    with pytest.raises(InvalidArgument, match="schema_title"):
        ask("UpdateArtifact", artifact=given, update_mask=FieldMask(paths=["schema_title"]))


def test_an_update_may_create(ask: Ask, store: str) -> None:
    given = Context(name=f"{store}/contexts/new", display_name="d")
    with pytest.raises(NotFound):
        ask("UpdateContext", context=given)
    assert ask("UpdateContext", context=given, allow_missing=True).display_name == "d"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (Artifact(schema_title="no.Such"), "artifact.schema_title"),
        (Artifact(schema_title="system.Run"), "artifact.schema_title"),
        (Artifact(schema_title="system.Model", schema_version="9.9.9"), "artifact.schema_version"),
        (Artifact(schema_title="no.Such", schema_version="9.9.9"), "artifact.schema_title"),
        (
            Artifact(schema_title="system.Model", metadata=messages.struct({"framework": 1})),
            "artifact.metadata.framework",
        ),
        (Artifact(display_name="x" * 129), "artifact.display_name"),
    ],
)
def test_a_node_that_breaks_a_rule_is_refused_by_field(ask: Ask, store: str, given: Artifact, field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        ask("CreateArtifact", parent=store, artifact=given)
    assert [violation.field for violation in caught.value.violations] == [field]


def test_own_schemas_are_registered_once_and_then_hold(ask: Ask, store: str) -> None:
    schema = MetadataSchema(
        schema=SCHEMA, schema_version="0.1.0", schema_type=MetadataSchema.MetadataSchemaType.ARTIFACT_TYPE
    )
    made = ask("CreateMetadataSchema", parent=store, metadata_schema=schema)
    assert ask("GetMetadataSchema", name=made.name).schema == SCHEMA
    with pytest.raises(AlreadyExists, match="another version"):
        ask("CreateMetadataSchema", parent=store, metadata_schema=schema)
    schema.schema_version = "0.10.0"
    schema.schema = SCHEMA.replace("number", "string")
    ask("CreateMetadataSchema", parent=store, metadata_schema=schema)
    latest = Artifact(schema_title="acme.Thing", metadata=messages.struct({"a": "text"}))
    assert ask("CreateArtifact", parent=store, artifact=latest).schema_version == "0.10.0"
    latest.schema_version = "0.1.0"
    with pytest.raises(InvalidArgument, match="must be of type number"):
        ask("CreateArtifact", parent=store, artifact=latest)
    with pytest.raises(InvalidArgument, match="is required by the schema"):
        ask("CreateArtifact", parent=store, artifact=Artifact(schema_title="acme.Thing"))


def test_what_other_slices_record_is_the_same_however_often(
    lineage: Lineage, kernel: Kernel, ask: Ask, store: str
) -> None:
    data, model = "projects/1/locations/us-central1/datasets/7", "projects/1/locations/us-central1/models/8@1"
    for state in (Execution.State.RUNNING, Execution.State.COMPLETE, Execution.State.COMPLETE):

        def record(tx: Any, state: Execution.State = state) -> None:
            read = lineage.put_resource(tx, store, "dataset-7", "google.VertexDataset", data, "d")
            wrote = lineage.put_resource(tx, store, "model-8-v1", "google.VertexModel", model, "m")
            given = Execution(schema_title="system.CustomJobExecution", state=state)
            run = lineage.put_execution(tx, store, "run-9", given)
            group = lineage.put_context(tx, store, "group", Context(display_name="g"))
            lineage.link(tx, run, read, output=False)
            lineage.link(tx, run, wrote, output=True)
            lineage.associate(tx, group, [read, wrote, run])

        kernel.store.write(record)
    run = f"{store}/executions/run-9"
    assert ask("GetExecution", name=run).state == Execution.State.COMPLETE
    found = ask("GetArtifact", name=f"{store}/artifacts/model-8-v1")
    assert found.uri == f"https://us-central1-aiplatform.googleapis.com/v1/{model}"
    assert messages.plain(found.metadata) == {"resourceName": model}
    edges = kernel.store.read(lambda tx: graph.of_executions(tx, [run]))
    assert [(edge.artifact.rsplit("/")[-1], edge.output) for edge in edges] == [
        ("dataset-7", False),
        ("model-8-v1", True),
    ]


def test_a_repeated_record_changes_no_etag(lineage: Lineage, kernel: Kernel, ask: Ask, store: str) -> None:
    given = Context(display_name="g", metadata=messages.struct({"a": 1}))
    etags = set()
    for _ in range(2):
        kernel.store.write(lambda tx: lineage.put_context(tx, store, "group", given))
        etags.add(ask("GetContext", name=f"{store}/contexts/group").etag)
    assert len(etags) == 1
