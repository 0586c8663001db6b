"""Datasets and their exports over a real store, real objects and the real child process."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.domains.parts import Ask
from tests.domains.stored import StoredParts

from trigpoint.core import messages
from trigpoint.core.errors import (
    Aborted,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unimplemented,
)
from trigpoint.core.messages import FieldMask, Oneof
from trigpoint.core.pb.google.cloud.aiplatform.v1.dataset_pb import Dataset
from trigpoint.core.pb.google.cloud.aiplatform.v1.io_pb import GcsDestination
from trigpoint.core.pb.google.cloud.aiplatform.v1.training_pipeline_pb import FractionSplit, InputDataConfig
from trigpoint.data.splits import Split
from trigpoint.domains.datasets import Datasets, Exported, Looked, Looking, Pending
from trigpoint.domains.datasets.work import Exports, Wanted

TABULAR = "gs://google-cloud-aiplatform/schema/dataset/metadata/tabular_1.0.0.yaml"
IMAGE = "gs://google-cloud-aiplatform/schema/dataset/metadata/image_1.0.0.yaml"
CREATED = 1_767_225_600_000_000


def table(*uris: str, name: str = "d", **fields: Any) -> Dataset:
    metadata = messages.value({"input_config": {"gcs_source": {"uri": list(uris)}}})
    return Dataset(display_name=name, metadata_schema_uri=TABULAR, metadata=metadata, **fields)


@pytest.fixture
def datasets(parts: StoredParts) -> Iterator[Datasets]:
    files = parts.storage.files
    made = Datasets(parts.kernel, parts.operations, parts.standard, parts.lineage, files, parts.home)
    files.write(parts.caller.project, "gs://bkt/data/1.csv", b"a,b\n" + b"".join(b"%d,x\n" % i for i in range(60)))
    files.write(parts.caller.project, "gs://bkt/data/2.csv", b"a,b\n" + b"".join(b"%d,y\n" % i for i in range(40)))
    yield made
    made.close()


@pytest.fixture
def ask(parts: StoredParts, datasets: Datasets) -> Ask:
    handlers = datasets.handlers()

    def send(method: str, **fields: Any) -> Any:
        return parts.ask("DatasetService", handlers, method, fields)

    return send


@pytest.mark.parametrize("method", ["ImportData", "ExportData"])
def test_datasets_without_items_say_what_to_do_instead(ask: Ask, location: str, method: str) -> None:
    made = ask("CreateDataset", parent=location, dataset=Dataset(display_name="d", metadata_schema_uri=IMAGE))
    with pytest.raises(Unimplemented, match=r"of kind IMAGE stays empty: keep the files .* make a TABULAR dataset"):
        ask(method, name=made.name)


def test_the_life_of_a_dataset(ask: Ask, parts: StoredParts, location: str) -> None:
    made = ask("CreateDataset", parent=location, dataset=table("gs://bkt/data/1.csv", labels={"team": "x"}))
    assert made == ask("GetDataset", name=made.name)
    assert messages.plain(made.metadata) == {"inputConfig": {"gcsSource": {"uri": ["gs://bkt/data/1.csv"]}}}
    assert made.labels == {"team": "x", "aiplatform.googleapis.com/dataset_metadata_schema": "TABULAR"}
    ident = made.name.rsplit("/")[-1]
    assert made.metadata_artifact == f"{location}/metadataStores/default/artifacts/dataset-{ident}"
    request = {"name": made.metadata_artifact}
    artifact = parts.ask("MetadataService", parts.lineage.handlers(), "GetArtifact", request)
    assert artifact.schema_title == "google.VertexDataset"
    assert messages.plain(artifact.metadata) == {"resourceName": made.name}

    given = Dataset(name=made.name, display_name="new", description="no", labels={"a": "b"}, etag=made.etag)
    mask = FieldMask(paths=["display_name", "labels"])
    changed = ask("UpdateDataset", dataset=given, update_mask=mask)
    assert (changed.display_name, changed.description) == ("new", "")
    assert changed.labels == {"a": "b", "aiplatform.googleapis.com/dataset_metadata_schema": "TABULAR"}
    with pytest.raises(Aborted):
        ask("UpdateDataset", dataset=given, update_mask=mask)
    with pytest.raises(InvalidArgument, match="cannot be updated"):
        ask("UpdateDataset", dataset=Dataset(name=made.name), update_mask=FieldMask(paths=["metadata"]))
    read = ask("GetDataset", name=made.name, read_mask=FieldMask(paths=["name", "displayName"]))
    assert read == Dataset(name=made.name, display_name="new")
    for method, fix in [("ImportData", "imported into: change the objects"), ("ExportData", "exported: read the")]:
        with pytest.raises(InvalidArgument, match=f"TABULAR cannot be {fix}"):
            ask(method, name=made.name)
    ask("DeleteDataset", name=made.name)
    with pytest.raises(NotFound):
        ask("GetDataset", name=made.name)


@pytest.mark.parametrize(
    ("uri", "error", "text"),
    [
        ("gs://bkt/none.csv", InvalidArgument, r"no object 'gs://bkt/none\.csv'"),
        ("gs://bkt/none/*.csv", InvalidArgument, "no object"),
        ("gs://nobucket/1.csv", NotFound, "bucket nobucket does not exist"),
        ("s3://b/1.csv", InvalidArgument, "gs://BUCKET/OBJECT"),
    ],
)
def test_data_that_is_not_there_is_refused_at_once(
    ask: Ask, location: str, uri: str, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        ask("CreateDataset", parent=location, dataset=table(uri))


def test_other_kinds_and_bigquery_are_kept_as_given(ask: Ask, location: str) -> None:
    image = Dataset(display_name="i", metadata_schema_uri=IMAGE)
    assert ask("CreateDataset", parent=location, dataset=image).metadata_schema_uri == IMAGE
    metadata = {"inputConfig": {"bigquerySource": {"uri": ["bq://p.d.t"]}}}
    given = Dataset(display_name="q", metadata_schema_uri=TABULAR, metadata=messages.value(metadata))
    made = ask("CreateDataset", parent=location, dataset=given)
    assert messages.plain(made.metadata) == {"inputConfig": {"bigquerySource": {"uri": "bq://p.d.t"}}}


def test_lists_by_filter_and_order(ask: Ask, location: str) -> None:
    for name in ("one", "two"):
        ask("CreateDataset", parent=location, dataset=table("gs://bkt/data/1.csv", name=name, labels={"n": name}))
    ask("CreateDataset", parent=location, dataset=Dataset(display_name="image", metadata_schema_uri=IMAGE))

    def names(text: str, **fields: Any) -> list[str]:
        found = ask("ListDatasets", parent=location, filter=text, **fields)
        return [item.display_name for item in found.datasets]

    assert names("") == ["image", "two", "one"]
    assert names(f'metadata_schema_uri="{TABULAR}"', order_by="display_name") == ["one", "two"]
    assert names(f'metadataSchemaUri != "{TABULAR}"') == ["image"]
    assert names("labels.n=two") == ["two"]
    assert names("labels.n:*", order_by="createTime desc") == ["two", "one"]
    assert names('display_name="one"') == ["one"]
    assert names("display_name != one", page_size=1) == ["image"]


def config(dataset: Dataset, prefix: str = "gs://bkt/out", **split: float) -> InputDataConfig:
    return InputDataConfig(
        dataset_id=dataset.name.rsplit("/")[-1],
        split=Oneof(field="fraction_split", value=FractionSplit(**split)) if split else None,
        destination=Oneof(field="gcs_destination", value=GcsDestination(output_uri_prefix=prefix)) if prefix else None,
    )


def finish(datasets: Datasets, location: str, wanted: InputDataConfig, key: str = "k") -> Exported | None:
    for _ in range(600):
        found = datasets.export(location, wanted, key, CREATED)
        if not isinstance(found, Pending):
            return found
        assert found.progress
        time.sleep(0.02)
    raise AssertionError("the export did not end")


def test_an_export_writes_every_row_once(datasets: Datasets, ask: Ask, parts: StoredParts, location: str) -> None:
    made = ask("CreateDataset", parent=location, dataset=table("gs://bkt/data/*.csv"))
    done = finish(datasets, location, config(made, training_fraction=0.6, validation_fraction=0.4))
    assert done is not None
    ident = made.name.rsplit("/")[-1]
    assert done.directory == f"gs://bkt/out/dataset-{ident}-tabular-2026-01-01T00:00:00.000Z"
    assert done.counts == {"training": 60, "validation": 40, "test": 0}
    assert [uri for uri, _ in done.sources] == ["gs://bkt/data/1.csv", "gs://bkt/data/2.csv"]
    assert done.variables["AIP_TEST_DATA_URI"] == f"{done.directory}/test-*.csv"
    texts = {
        str(uri).rsplit("/")[-1]: parts.storage.files.read_text(parts.caller.project, str(uri), 10_000)
        for uri, _ in parts.storage.files.list(parts.caller.project, done.directory)
    }
    assert sorted(texts) == [f"{split}-00000-of-00001.csv" for split in ("test", "training", "validation")]
    assert all(text.startswith("a,b\n") for text in texts.values())
    assert sum(text.count("\n") - 1 for text in texts.values()) == 100


def test_an_export_is_not_repeated(datasets: Datasets, ask: Ask, parts: StoredParts, location: str) -> None:
    made = ask("CreateDataset", parent=location, dataset=table("gs://bkt/data/1.csv"))
    done = finish(datasets, location, config(made))
    before = {str(uri): row.generation for uri, row in parts.storage.files.list(parts.caller.project, "gs://bkt/out/")}
    parts.storage.files.write(parts.caller.project, "gs://bkt/data/1.csv", b"a,b\n1,2\n")
    assert finish(datasets, location, config(made)) == done
    after = {str(uri): row.generation for uri, row in parts.storage.files.list(parts.caller.project, "gs://bkt/out/")}
    assert before == after
    assert not list((parts.home / "exports").iterdir())


@pytest.mark.parametrize("calls", [1, 2, 3, 4, 5, 8])
def test_a_restart_at_any_step_changes_nothing(
    datasets: Datasets, ask: Ask, parts: StoredParts, location: str, calls: int
) -> None:
    made = ask("CreateDataset", parent=location, dataset=table("gs://bkt/data/1.csv"))
    for _ in range(calls):
        datasets.export(location, config(made), "k", CREATED)
        time.sleep(0.05)
    datasets.close()
    files = parts.storage.files
    again = Datasets(parts.kernel, parts.operations, parts.standard, parts.lineage, files, parts.home)
    done = finish(again, location, config(made))
    again.close()
    assert done is not None
    assert done.counts == {"training": 48, "validation": 6, "test": 6}
    assert len(list(files.list(parts.caller.project, done.directory))) == 3


def test_data_that_changes_while_it_is_exported_is_read_as_it_was(
    datasets: Datasets, ask: Ask, parts: StoredParts, location: str
) -> None:
    made = ask("CreateDataset", parent=location, dataset=table("gs://bkt/data/1.csv"))
    datasets.export(location, config(made), "k", CREATED)
    parts.storage.files.write(parts.caller.project, "gs://bkt/data/1.csv", b"other\n1\n")
    done = finish(datasets, location, config(made))
    assert done is not None
    assert sum(done.counts.values()) == 60


def test_an_abandoned_export_leaves_nothing_behind(
    datasets: Datasets, ask: Ask, parts: StoredParts, location: str
) -> None:
    made = ask("CreateDataset", parent=location, dataset=table("gs://bkt/data/1.csv"))
    datasets.export(location, config(made), "k", CREATED)
    for _ in range(2):
        datasets.abandon("k")
    assert not list((parts.home / "exports").iterdir())
    assert finish(datasets, location, config(made)) is not None


def test_bad_data_is_told_once_the_child_has_seen_it(
    datasets: Datasets, ask: Ask, parts: StoredParts, location: str
) -> None:
    parts.storage.files.write(parts.caller.project, "gs://bkt/bad.csv", b"a,b\n1,2,3\n")
    made = ask("CreateDataset", parent=location, dataset=table("gs://bkt/bad.csv"))
    with pytest.raises(FailedPrecondition, match=r"Row 2 of gs://bkt/bad\.csv has 3 fields"):
        finish(datasets, location, config(made))
    assert not list((parts.home / "exports").iterdir())


def test_what_cannot_be_exported_is_refused_before_the_run(datasets: Datasets, ask: Ask, location: str) -> None:
    made = ask("CreateDataset", parent=location, dataset=table("gs://bkt/data/1.csv"))
    assert datasets.check(location, config(made)).name == made.name
    assert datasets.export(location, config(made, ""), "k", CREATED) is None
    with pytest.raises(InvalidArgument, match="there is no dataset"):
        datasets.check(location, InputDataConfig(dataset_id="404"))
    with pytest.raises(InvalidArgument, match="there is no dataset"):
        datasets.check(location, InputDataConfig(dataset_id="../x"))
    with pytest.raises(InvalidArgument, match=r"output_uri_prefix.*The bucket nobucket .*Create it"):
        datasets.check(location, config(made, "gs://nobucket/out"))
    image = ask("CreateDataset", parent=location, dataset=Dataset(display_name="i", metadata_schema_uri=IMAGE))
    with pytest.raises(FailedPrecondition, match="only tabular"):
        datasets.check(location, config(image))
    metadata = {"inputConfig": {"bigquerySource": {"uri": "bq://p.d.t"}}}
    given = Dataset(display_name="q", metadata_schema_uri=TABULAR, metadata=messages.value(metadata))
    with pytest.raises(FailedPrecondition, match="BigQuery"):
        datasets.check(location, config(ask("CreateDataset", parent=location, dataset=given)))


@pytest.fixture
def wanted(ask: Ask, parts: StoredParts, location: str) -> Wanted:
    made = ask("CreateDataset", parent=location, dataset=table("gs://bkt/data/1.csv"))
    return Wanted("k", made.name, parts.caller.project, ["gs://bkt/data/1.csv"], Split(), "gs://bkt/out/dir")


def drive(exports: Exports, wanted: Wanted) -> Pending | Exported:
    for _ in range(600):
        found = exports.step(wanted)
        if isinstance(found, Exported):
            return found
        time.sleep(0.02)
    raise AssertionError("the export did not end")


def test_an_export_that_needs_too_much_memory_says_so(parts: StoredParts, wanted: Wanted) -> None:
    small = Exports(parts.kernel, parts.storage.files, parts.home, memory_bytes=1 << 20)
    with pytest.raises(ResourceExhausted, match="more than 1 MiB of memory"):
        drive(small, wanted)
    small.close()


def test_a_child_that_keeps_dying_is_given_up(parts: StoredParts, wanted: Wanted) -> None:
    class Deadly(Exports):
        def step(self, wanted: Wanted) -> Pending | Exported:
            found = super().step(wanted)
            for child in self._children.values():
                child.kill()
                child.wait()
            return found

    deadly = Deadly(parts.kernel, parts.storage.files, parts.home)
    with pytest.raises(Internal, match="interrupted 3 times"):
        drive(deadly, wanted)
    deadly.close()


def test_the_columns_of_a_dataset_are_looked_at_once_for_each_state_of_its_files(
    ask: Ask, datasets: Datasets, parts: StoredParts, location: str
) -> None:
    made = ask("CreateDataset", parent=location, dataset=table("gs://bkt/data/*.csv"))
    found = looked(datasets, made.name)
    assert found.profile is not None
    assert found.profile["rows"] == 100
    assert [column["kind"] for column in found.profile["columns"]] == ["number", "text"]
    assert [uri for uri, _ in found.sources] == ["gs://bkt/data/1.csv", "gs://bkt/data/2.csv"]
    assert datasets.profile(made.name) == found, "what is known is looked at again"
    parts.storage.files.write(parts.caller.project, "gs://bkt/data/2.csv", b"a,b\n1,y\n")
    assert isinstance(datasets.profile(made.name), Looking)
    again = looked(datasets, made.name)
    assert again.profile is not None
    assert again.profile["rows"] == 61
    assert not list(parts.home.glob("profiles/*/in-*")), "links to the sources are left"


def test_what_is_wrong_with_a_table_is_told_instead_of_its_columns(
    ask: Ask, datasets: Datasets, parts: StoredParts, location: str
) -> None:
    parts.storage.files.write(parts.caller.project, "gs://bkt/bad.csv", b"a,b\n1\n")
    found = looked(datasets, ask("CreateDataset", parent=location, dataset=table("gs://bkt/bad.csv")).name)
    assert found.profile is None
    assert "Row 2 of gs://bkt/bad.csv" in found.problem


def looked(datasets: Datasets, name: str) -> Looked:
    for _ in range(600):
        found = datasets.profile(name)
        if isinstance(found, Looked):
            datasets.profile(name)
            return found
        time.sleep(0.02)
    raise AssertionError("it is never over")
