"""Plain google-cloud-aiplatform code on datasets, models and metadata; run by test_registry.py on each transport."""

import sys
from typing import Any

from google.api_core import exceptions
from google.cloud import aiplatform
from google.cloud.aiplatform_v1 import types
from google.oauth2.credentials import Credentials

IMAGE = "us-docker.pkg.dev/vertex-ai/prediction/sklearn-cpu.1-3:latest"


def begin(transport: str, **more: Any) -> None:
    """Point the SDK at the project; nothing here says where the server is."""
    aiplatform.init(
        project="my-project",
        location="us-central1",
        credentials=Credentials("good"),  # type: ignore[no-untyped-call]
        api_transport=transport,
        **more,
    )


def datasets() -> None:
    made = aiplatform.TabularDataset.create(
        display_name="penguins", gcs_source="gs://bkt/data/1.csv", labels={"team": "x"}, sync=True
    )
    assert made.gca_resource.metadata["inputConfig"]["gcsSource"]["uri"] == ["gs://bkt/data/1.csv"]
    assert made.gca_resource.labels["aiplatform.googleapis.com/dataset_metadata_schema"] == "TABULAR"
    again = aiplatform.TabularDataset(made.resource_name)
    assert again.display_name == "penguins"
    listed = aiplatform.TabularDataset.list(filter='display_name="penguins" AND labels.team=x')
    assert [one.resource_name for one in listed] == [made.resource_name]
    made.update(display_name="birds", labels={"team": "y"})
    assert aiplatform.TabularDataset(made.resource_name).display_name == "birds"
    artifact = aiplatform.Artifact(made.gca_resource.metadata_artifact)
    assert artifact.schema_title == "google.VertexDataset"
    refusal = ""
    try:
        aiplatform.TabularDataset.create(display_name="d", gcs_source="gs://bkt/none.csv")
    except exceptions.BadRequest as error:
        refusal = str(error)
    assert "gcsSource.uri" in refusal
    made.delete()
    assert not aiplatform.TabularDataset.list()


def models() -> None:
    first = aiplatform.Model.upload(
        display_name="m", artifact_uri="gs://bkt/model", serving_container_image_uri=IMAGE, labels={"a": "b"}
    )
    assert first.version_id == "1"
    assert first.version_aliases == ["default"]
    assert first.supported_export_formats
    second = aiplatform.Model.upload(
        artifact_uri="gs://bkt/model",
        serving_container_image_uri=IMAGE,
        display_name="m",
        parent_model=first.resource_name,
        is_default_version=False,
        version_aliases=["canary"],
        version_description="second",
    )
    assert (second.version_id, second.resource_name) == ("2", first.resource_name)
    assert aiplatform.Model(f"{first.resource_name}@canary").version_id == "2"
    registry = aiplatform.models.ModelRegistry(first.resource_name)
    assert [version.version_id for version in registry.list_versions()] == ["1", "2"]
    registry.add_version_aliases(["default", "prod"], version="2")
    registry.remove_version_aliases(["canary"], version="2")
    info = registry.get_version_info("prod")
    assert (info.version_id, sorted(info.version_aliases or ())) == ("2", ["default", "prod"])
    assert info.version_description == "second"
    assert [model.version_id for model in aiplatform.Model.list(filter='display_name="m" AND labels.a=b')] == ["2"]
    first.update(display_name="renamed", description="text")
    assert aiplatform.Model(first.resource_name).display_name == "renamed"
    registry.delete_version("1")
    assert [version.version_id for version in registry.list_versions()] == ["2"]
    aiplatform.Model(first.resource_name).delete()
    assert not aiplatform.Model.list()


def metadata(tag: str) -> None:
    data = aiplatform.Artifact.create(
        "system.Dataset", uri="gs://bkt/data/1.csv", resource_id=f"data-{tag}", metadata={"rows": 344}
    )
    model = aiplatform.Artifact.create("system.Model", uri="gs://bkt/model", display_name="m", metadata={"k": "v"})
    run = aiplatform.Execution.create("system.ContainerExecution", credentials=Credentials("good"))  # type: ignore[no-untyped-call]
    run.assign_input_artifacts([data])
    run.assign_output_artifacts([model])
    run.update(state=types.Execution.State.COMPLETE)
    assert [one.resource_name for one in run.get_input_artifacts()] == [data.resource_name]
    assert [one.resource_name for one in run.get_output_artifacts()] == [model.resource_name]
    found = aiplatform.Artifact.list(filter='schema_title="system.Dataset" AND metadata.rows.number_value=344')
    assert data.resource_name in [one.resource_name for one in found]
    assert aiplatform.Artifact.get_with_uri("gs://bkt/model").resource_name == model.resource_name
    context = aiplatform.Context.create("system.Experiment", resource_id=f"ctx-{tag}", display_name="c")
    context.add_artifacts_and_executions(
        artifact_resource_names=[data.resource_name, model.resource_name],
        execution_resource_names=[run.resource_name],
    )
    graph = context.query_lineage_subgraph()
    assert (len(graph.artifacts), len(graph.executions), len(graph.events)) == (2, 1, 2)
    client: Any = data.api_client
    lineage = client.query_artifact_lineage_subgraph(artifact=data.resource_name)
    assert {one.name for one in lineage.artifacts} == {data.resource_name, model.resource_name}
    context.update(metadata={"a": 1})
    stale = aiplatform.Context(context.resource_name)
    context.update(metadata={"a": 2})
    if tag == "grpc":  # over REST the SDK does not know its own conflict again, and does not retry
        stale.update(metadata={"b": 3})
        assert aiplatform.Context(context.resource_name).metadata == {"a": 2, "b": 3}
    context.delete()
    refusal = ""
    try:
        aiplatform.Artifact.create("no.Such")
    except exceptions.BadRequest as error:
        refusal = str(error)
    assert "schema_title" in refusal


def experiments(transport: str, **more: Any) -> None:
    name = f"exp-{transport}{'-plain' if more else ''}"
    begin(transport, experiment=name, **more)
    for rate in (0.1, 0.2):
        with aiplatform.start_run(f"run-{int(rate * 10)}"):
            aiplatform.log_params({"lr": rate})
            aiplatform.log_metrics({"accuracy": rate * 2})
            with aiplatform.start_execution(schema_title="system.ContainerExecution", display_name="e") as execution:
                artifact = aiplatform.Artifact.create("system.Artifact", uri=f"gs://bkt/{name}")
                execution.assign_output_artifacts([artifact])
    frame = aiplatform.get_experiment_df(name)
    assert sorted(frame["param.lr"]) == [0.1, 0.2]
    assert set(frame["state"]) == {"COMPLETE"}
    assert name in [one.name for one in aiplatform.Experiment.list()]
    boards = aiplatform.Tensorboard.list(filter="is_default=true")
    assert len(boards) == 1, "the SDK makes one, when it finds none"
    if not more:
        board = aiplatform.Experiment(name).get_backing_tensorboard_resource()
        assert board is not None
        assert board.resource_name == boards[0].resource_name
        runs = aiplatform.TensorboardRun.list(name, tensorboard_id=board.resource_name.rsplit("/", 1)[1])
        assert sorted(run.display_name for run in runs) == ["run-1", "run-2"]


def main() -> None:
    """Run everything once per transport, in one process, as scripts do that switch."""
    for transport in sys.argv[1:]:
        begin(transport)
        datasets()
        models()
        metadata(transport)
        experiments(transport)
        experiments(transport, experiment_tensorboard=False)
        sys.stdout.write(f"{transport} passed\n")


if __name__ == "__main__":
    main()
