"""The model registry over a real store and real objects."""

from typing import Any

import pytest
from tests.domains.parts import Ask
from tests.domains.stored import StoredParts

from trigpoint.core import messages
from trigpoint.core.errors import Aborted, AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from trigpoint.core.messages import FieldMask
from trigpoint.core.pb.google.cloud.aiplatform.v1.model_pb import Model, ModelContainerSpec
from trigpoint.domains.models import DEPLOYED, Models
from trigpoint.store import refs


@pytest.fixture
def models(parts: StoredParts) -> Models:
    return Models(parts.kernel, parts.operations, parts.queries, parts.lineage, parts.storage.files)


@pytest.fixture
def ask(parts: StoredParts, models: Models) -> Ask:
    handlers = models.handlers()
    parts.storage.files.write(parts.caller.project, "gs://bkt/made/model.joblib", b"x")

    def send(method: str, **fields: Any) -> Any:
        return parts.ask("ModelService", handlers, method, fields)

    return send


def model(**fields: Any) -> Model:
    given = {"display_name": "m", "artifact_uri": "gs://bkt/made", **fields}
    return Model(container_spec=ModelContainerSpec(image_uri="image"), **given)


def test_an_uploaded_model_has_what_clients_look_for(ask: Ask, parts: StoredParts, location: str) -> None:
    done = ask("UploadModel", parent=location, model=model(version_aliases=["prod"], labels={"a": "b"}))
    assert done.model_version_id == "1"
    found = ask("GetModel", name=done.model)
    assert (found.name, found.version_id, found.display_name) == (done.model, "1", "m")
    assert sorted(found.version_aliases) == ["default", "prod"]
    assert found.labels == {"a": "b"}
    assert found.supported_deployment_resources_types == [Model.DeploymentResourcesType.DEDICATED_RESOURCES]
    assert found.supported_export_formats[0].id == "custom-trained"
    assert found.version_create_time is not None
    assert found.create_time is not None
    ident = done.model.rsplit("/")[-1]
    assert found.metadata_artifact == f"{location}/metadataStores/default/artifacts/model-{ident}-v1"
    artifact = parts.ask("MetadataService", parts.lineage.handlers(), "GetArtifact", {"name": found.metadata_artifact})
    assert artifact.uri == f"https://us-central1-aiplatform.googleapis.com/v1/{done.model}@1"
    for suffix in ("@1", "@prod", "@default"):
        same = ask("GetModel", name=done.model + suffix)
        assert (same.name, same.version_id) == (done.model, "1")
    for suffix in ("@2", "@none"):
        with pytest.raises(NotFound, match="no version or alias"):
            ask("GetModel", name=done.model + suffix)


def test_versions_and_their_aliases(ask: Ask, location: str) -> None:
    name = ask("UploadModel", parent=location, model=model(), model_id="mine").model
    assert name == f"{location}/models/mine"
    second = ask("UploadModel", parent=location, model=model(version_aliases=["prod"]), parent_model="mine")
    assert (second.model, second.model_version_id) == (name, "2")
    assert ask("GetModel", name=name).version_id == "1"
    third = model(display_name="", version_aliases=["default"], version_description="third")
    ask("UploadModel", parent=location, model=third, parent_model=name)
    assert ask("GetModel", name=name).version_description == "third"
    assert ask("GetModel", name=name).display_name == "m"
    listed = ask("ListModelVersions", name=name).models
    assert [item.name for item in listed] == [f"{name}@{number}" for number in (1, 2, 3)]
    assert [item.version_aliases for item in listed] == [[], ["prod"], ["default"]]

    moved = ask("MergeVersionAliases", name=f"{name}@1", version_aliases=["prod", "old"])
    assert (moved.version_id, moved.version_aliases) == ("1", ["prod", "old"])
    assert ask("GetModel", name=f"{name}@2").version_aliases == []
    assert ask("MergeVersionAliases", name=f"{name}@prod", version_aliases=["-old"]).version_aliases == ["prod"]
    with pytest.raises(InvalidArgument):
        ask("MergeVersionAliases", name=f"{name}@3", version_aliases=["-default"])
    assert ask("MergeVersionAliases", name=f"{name}@2", version_aliases=["default"]).version_id == "2"
    assert ask("GetModel", name=name).version_id == "2"

    ask("DeleteModelVersion", name=f"{name}@default")
    assert ask("GetModel", name=name).version_id == "3"
    assert ask("UploadModel", parent=location, model=model(), parent_model="mine").model_version_id == "4"
    with pytest.raises(InvalidArgument, match="name the version"):
        ask("DeleteModelVersion", name=name)
    ask("DeleteModel", name=name)
    for gone in (name, f"{name}@1"):
        with pytest.raises(NotFound):
            ask("GetModel", name=gone)


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"model": model(display_name="")}, InvalidArgument, "display_name"),
        ({"model": model(artifact_uri="gs://nobucket/x")}, NotFound, r"model\.artifact_uri: the bucket nobucket"),
        ({"model": model(artifact_uri="file:///x")}, InvalidArgument, "artifact_uri"),
        ({"model": model(artifact_uri="gs://bkt/none")}, InvalidArgument, r"model\.artifact_uri; .* gs://bkt/none/:"),
        ({"model": model(artifact_uri="gs://bkt/mad")}, InvalidArgument, r"model\.artifact_uri"),
        ({"model": model(artifact_uri="gs://bkt/made/model.joblib")}, InvalidArgument, r"model\.artifact_uri"),
        ({"model": model(), "model_id": "9bad"}, InvalidArgument, "model_id"),
        ({"model": model(), "parent_model": "404"}, NotFound, "404"),
        ({"model": model(version_aliases=["1"])}, InvalidArgument, "alias"),
    ],
)
def test_what_cannot_be_uploaded(ask: Ask, location: str, fields: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        ask("UploadModel", parent=location, **fields)


def test_an_id_is_taken_once(ask: Ask, location: str) -> None:
    ask("UploadModel", parent=location, model=model(), model_id="mine")
    with pytest.raises(AlreadyExists, match="parent_model"):
        ask("UploadModel", parent=location, model=model(), model_id="mine")


def test_updates_of_a_model_and_of_a_version(ask: Ask, location: str) -> None:
    name = ask("UploadModel", parent=location, model=model(labels={"a": "1"})).model
    ask("UploadModel", parent=location, model=model(labels={"b": "2"}), parent_model=name)
    assert ask("GetModel", name=f"{name}@2").labels == {"a": "1", "b": "2"}

    given = Model(name=name, display_name="new", labels={"c": "3"})
    changed = ask("UpdateModel", model=given, update_mask=FieldMask(paths=["displayName", "labels"]))
    assert (changed.name, changed.display_name, changed.labels) == (name, "new", {"c": "3"})
    version = ask("GetModel", name=f"{name}@2")
    assert (version.display_name, version.labels) == ("new", {"b": "2", "c": "3"})

    given = Model(name=f"{name}@2", version_description="text", labels={"d": "4"}, etag=version.etag)
    mask = FieldMask(paths=["version_description", "labels"])
    changed = ask("UpdateModel", model=given, update_mask=mask)
    assert (changed.name, changed.version_description, changed.labels) == (name, "text", {"c": "3", "d": "4"})
    assert ask("GetModel", name=name).labels == {"c": "3"}
    with pytest.raises(Aborted):
        ask("UpdateModel", model=given, update_mask=mask)
    with pytest.raises(FailedPrecondition, match="field of a version"):
        ask("UpdateModel", model=Model(name=name), update_mask=FieldMask(paths=["version_description"]))
    with pytest.raises(FailedPrecondition, match="field of a model"):
        ask("UpdateModel", model=Model(name=f"{name}@1"), update_mask=FieldMask(paths=["display_name"]))
    with pytest.raises(InvalidArgument, match="mask is required"):
        ask("UpdateModel", model=Model(name=name, display_name="x"))


def test_a_model_that_was_read_before_its_aliases_moved_can_be_changed(ask: Ask, location: str) -> None:
    name = ask("UploadModel", parent=location, model=model()).model
    read = ask("GetModel", name=f"{name}@1")
    ask("UploadModel", parent=location, model=model(version_aliases=["default"]), parent_model=name)
    given, mask = Model(name=name, display_name="new", etag=read.etag), FieldMask(paths=["display_name"])
    assert ask("UpdateModel", model=given, update_mask=mask).display_name == "new"
    with pytest.raises(Aborted):
        ask("UpdateModel", model=given, update_mask=mask)


def test_lists_have_one_entry_per_model(ask: Ask, location: str) -> None:
    first = ask("UploadModel", parent=location, model=model(display_name="one", labels={"team": "a"})).model
    second = ask("UploadModel", parent=location, model=model(display_name="two")).model
    ask("UploadModel", parent=location, model=model(version_aliases=["default"]), parent_model=second)

    def names(**fields: Any) -> list[str]:
        return [item.name for item in ask("ListModels", parent=location, **fields).models]

    assert names() == [second, first]
    assert names(order_by="create_time") == [first, second]
    assert names(filter='display_name="one"') == [first]
    assert names(filter="labels.team=a") == names(filter="labels.team:*") == [first]
    assert names(filter=f"model={second.rsplit('/')[-1]}") == [second]
    assert names(filter=f"model != {second.rsplit('/')[-1]}") == [first]
    page = ask("ListModels", parent=location, read_mask=FieldMask(paths=["displayName"])).models
    assert page[1] == Model(display_name="one")


def test_what_is_deployed_stays(ask: Ask, parts: StoredParts, location: str) -> None:
    name = ask("UploadModel", parent=location, model=model()).model
    ask("UploadModel", parent=location, model=model(), parent_model=name)
    endpoint = f"{location}/endpoints/7"
    parts.store.write(lambda tx: refs.add(tx, endpoint, f"{name}@1", DEPLOYED))
    for method, target in [("DeleteModel", name), ("DeleteModelVersion", f"{name}@1")]:
        with pytest.raises(FailedPrecondition, match="is deployed to"):
            ask(method, name=target)
    ask("DeleteModelVersion", name=f"{name}@2")
    with pytest.raises(FailedPrecondition, match=r"is deployed to|the only one"):
        ask("DeleteModelVersion", name=f"{name}@1")
    parts.store.write(lambda tx: refs.drop(tx, endpoint))
    ask("DeleteModel", name=name)


def test_training_registers_once_whatever_happens(models: Models, parts: StoredParts, ask: Ask, location: str) -> None:
    pipeline, made = f"{location}/trainingPipelines/5", model(artifact_uri="gs://bkt/model")
    with pytest.raises(FailedPrecondition, match="AIP_MODEL_DIR"):
        models.register(location, made, key=pipeline, training_pipeline=pipeline)
    parts.storage.files.write(parts.caller.project, "gs://bkt/model/model.joblib", b"x")
    found = {models.register(location, made, key=pipeline, training_pipeline=pipeline) for _ in range(2)}
    assert len(found) == 1
    name, version = found.pop()
    assert version == "1"
    assert ask("GetModel", name=name).training_pipeline == pipeline
    assert models.register(location, model(), key="other", parent_model=name) == (name, "2")
    assert messages.encode(ask("GetModel", name=f"{name}@2")) != b""


def test_a_model_is_refused_before_the_run_that_is_to_make_it(models: Models, location: str) -> None:
    models.check(location, model())
    with pytest.raises(NotFound):
        models.check(location, model(), parent_model="404")
    with pytest.raises(InvalidArgument):
        models.check(location, model(), model_id="Bad")
