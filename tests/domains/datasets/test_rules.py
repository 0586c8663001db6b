"""The rules of datasets: metadata in any spelling, sources, splits, names of exports."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigpoint.core.errors import FailedPrecondition, InvalidArgument
from trigpoint.core.messages import Oneof
from trigpoint.core.pb.google.cloud.aiplatform.v1.dataset_pb import Dataset
from trigpoint.core.pb.google.cloud.aiplatform.v1.io_pb import BigQueryDestination, GcsDestination
from trigpoint.core.pb.google.cloud.aiplatform.v1.training_pipeline_pb import (
    FilterSplit,
    FractionSplit,
    InputDataConfig,
    PredefinedSplit,
    TimestampSplit,
)
from trigpoint.data.splits import Split
from trigpoint.domains.datasets import rules

TABULAR = "gs://google-cloud-aiplatform/schema/dataset/metadata/tabular_1.0.0.yaml"
GCS = {"inputConfig": {"gcsSource": {"uri": ["gs://b/a.csv"]}}}
BQ = {"inputConfig": {"bigquerySource": {"uri": "bq://p.d.t"}}}


@pytest.mark.parametrize(
    ("given_metadata", "expected"),
    [
        (GCS, GCS),
        ({"input_config": {"gcs_source": {"uri": "gs://b/a.csv"}}}, GCS),
        ({"input_config": {"bigquery_source": {"uri": ["bq://p.d.t"]}}}, BQ),
        (BQ, BQ),
        ({"inputConfig": None, "other_key": 1}, {"inputConfig": None, "other_key": 1}),
        (None, None),
        ("text", "text"),
    ],
)
def test_metadata_is_read_back_in_camel_case(given_metadata: Any, expected: Any) -> None:
    assert rules.normal(given_metadata) == expected


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["input_config", "gcsSource", "gcs_source", "uri", "x"]), inner)
        ),
        max_leaves=6,
    )
)
def test_normal_metadata_stays_as_it_is(metadata: Any) -> None:
    once = rules.normal(metadata)
    assert rules.normal(once) == once


def test_sources() -> None:
    assert rules.tables(GCS) == rules.Tables(uris=("gs://b/a.csv",))
    assert rules.tables(BQ) == rules.Tables(table="bq://p.d.t")


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {},
        {"inputConfig": {}},
        {"inputConfig": GCS["inputConfig"] | BQ["inputConfig"]},
        {"inputConfig": {"gcsSource": {"uri": []}}},
        {"inputConfig": {"gcsSource": {"uri": ["a.csv"]}}},
        {"inputConfig": {"gcsSource": {"uri": [5]}}},
        {"inputConfig": {"gcsSource": {"uri": ["gs://b"]}}},
        {"inputConfig": {"gcsSource": {"uri": ["gs://b/"]}}},
        {"inputConfig": {"gcsSource": {"uri": ["gs://b/a"] * 10_001}}},
        {"inputConfig": {"gcsSource": {"uri": [f"gs://b/{n}*" for n in range(101)]}}},
        {"inputConfig": {"bigquerySource": {"uri": ["a", "b"]}}},
        {"inputConfig": {"bigquerySource": {"uri": "p.d.t"}}},
    ],
)
def test_what_is_no_source_is_refused_by_its_field(metadata: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        rules.tables(metadata)
    assert caught.value.violations[0].field.startswith("dataset.metadata.inputConfig")


def test_a_uri_list_that_is_no_list_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        rules.tables({"inputConfig": {"gcsSource": {"uri": {"x": 1}}}})


def test_new_datasets_are_checked_field_by_field() -> None:
    found = rules.dataset(Dataset(labels={"A": "b"}))
    assert [v.field for v in found] == ["dataset.display_name", "dataset.labels", "dataset.metadata_schema_uri"]
    fine = Dataset(display_name="d", metadata_schema_uri=TABULAR, labels={rules.SCHEMA_LABEL: "X", "a": "b"})
    assert rules.dataset(fine) == []


def test_the_system_label_is_the_schema_and_cannot_be_changed() -> None:
    assert rules.labelled({rules.SCHEMA_LABEL: "X", "a": "b"}, TABULAR) == {rules.SCHEMA_LABEL: "TABULAR", "a": "b"}
    assert rules.labelled({}, "gs://elsewhere/x.yaml") == {}


def test_splits() -> None:
    def split(field: Any, value: Any) -> Split:
        return rules.split_of(InputDataConfig(split=Oneof(field=field, value=value)))

    assert rules.split_of(InputDataConfig()) == Split()
    assert split("fraction_split", FractionSplit(training_fraction=0.5)).fractions == (0.5, 0.25, 0.25)
    assert split("predefined_split", PredefinedSplit(key="k")) == Split("predefined", key="k")
    timed = split("timestamp_split", TimestampSplit(key="t", training_fraction=0.8, validation_fraction=0.2))
    assert timed == Split("timestamp", (0.8, 0.2, 0.0), "t")
    with pytest.raises(InvalidArgument, match="no items to filter"):
        split("filter_split", FilterSplit(training_filter="-"))
    with pytest.raises(InvalidArgument, match="name the column"):
        split("predefined_split", PredefinedSplit())
    with pytest.raises(InvalidArgument, match="sum to at most 1"):
        split("fraction_split", FractionSplit(training_fraction=2))


def test_destinations() -> None:
    def prefix(field: Any, value: Any) -> str:
        return rules.destination_of(InputDataConfig(destination=Oneof(field=field, value=value)))

    assert rules.destination_of(InputDataConfig()) == ""
    assert prefix("gcs_destination", GcsDestination(output_uri_prefix="gs://b/o")) == "gs://b/o"
    with pytest.raises(InvalidArgument, match="gs://BUCKET/PREFIX"):
        prefix("gcs_destination", GcsDestination(output_uri_prefix="/tmp/x"))
    with pytest.raises(FailedPrecondition, match="gcs_destination instead"):
        prefix("bigquery_destination", BigQueryDestination(output_uri="bq://p"))


def test_directories_and_variables() -> None:
    name = "projects/1/locations/l/datasets/456"
    uri = rules.directory("gs://b/out/", name, 1_767_225_600_000_999)
    assert uri == "gs://b/out/dataset-456-tabular-2026-01-01T00:00:00.000Z"
    assert rules.variables("gs://b/d") == {
        "AIP_DATA_FORMAT": "csv",
        "AIP_TRAINING_DATA_URI": "gs://b/d/training-*.csv",
        "AIP_VALIDATION_DATA_URI": "gs://b/d/validation-*.csv",
        "AIP_TEST_DATA_URI": "gs://b/d/test-*.csv",
    }


def test_wildcards_stand_for_any_characters_and_the_rest_for_itself() -> None:
    names = ["a/1.csv", "a/b/2.csv", "a/1xcsv", "a/[1].csv"]
    assert rules.matching("a/*.csv", names) == ["a/1.csv", "a/b/2.csv", "a/[1].csv"]
    assert rules.matching("a/[1].csv", names) == ["a/[1].csv"]
    assert rules.matching("a/1.csv", names) == ["a/1.csv"]
