"""What a dataset may be and how training asks for its data; pure. Source: vertex-training.md sections 1 and 2.4-2.6."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from trigpoint.core import checks, patterns
from trigpoint.core.clock import Micros
from trigpoint.core.errors import FailedPrecondition, InvalidArgument, Violation
from trigpoint.core.names import id_of
from trigpoint.core.pb.google.cloud.aiplatform.v1.dataset_pb import Dataset
from trigpoint.core.pb.google.cloud.aiplatform.v1.training_pipeline_pb import InputDataConfig
from trigpoint.data.splits import KINDS, SPLITS, Split, complete
from trigpoint.domains.datasets import sentences

SYSTEM_PREFIX = "aiplatform.googleapis.com/"
SCHEMA_LABEL = SYSTEM_PREFIX + "dataset_metadata_schema"
TABLES = ("TABULAR", "TIME_SERIES")
"""Titles of the schemas whose data is a table."""
MOST_URIS, MOST_WILD = 10_000, 100
"""URIs that a table's source may have, and how many of them may stand for any number of objects."""

KINDS_OF_DATA = (*TABLES, "IMAGE", "TEXT", "VIDEO", "MULTIMODAL")
"""Titles of the schemas that there are."""

_SCHEMAS = "gs://google-cloud-aiplatform/schema/dataset/metadata/"
_SCHEMA_URI = re.compile(re.escape(_SCHEMAS) + r"([a-z_]+)_\d+\.\d+\.\d+\.yaml")
_STRUCTURAL = {
    "input_config": "inputConfig",
    "gcs_source": "gcsSource",
    "bigquery_source": "bigquerySource",
    "time_series_identifier_column": "timeSeriesIdentifierColumn",
    "time_column": "timeColumn",
}


@dataclass(frozen=True, slots=True)
class Tables:
    """Where the rows of a tabular dataset are: objects or a BigQuery table."""

    uris: tuple[str, ...] = ()
    table: str = ""


def title(schema_uri: str) -> str:
    """Return the title of a metadata schema, such as TABULAR; empty for a URI that is not one of Google's."""
    found = _SCHEMA_URI.fullmatch(schema_uri)
    return found[1].upper() if found else ""


def dataset(given: Dataset) -> list[Violation]:
    """Check what a caller may set on a new dataset, except where its data is."""
    found = checks.display_name("dataset.display_name", given.display_name)
    found += checks.labels("dataset.labels", user_labels(given.labels))
    if not given.metadata_schema_uri:
        text = sentences.NO_SCHEMA
        found.append(Violation("dataset.metadata_schema_uri", text))
    elif title(given.metadata_schema_uri) not in KINDS_OF_DATA:
        known = ", ".join(f"{kind.lower()}_1.0.0.yaml" for kind in KINDS_OF_DATA)
        text = sentences.BAD_SCHEMA.format(uri=repr(given.metadata_schema_uri[:200]), schemas=_SCHEMAS, known=known)
        found.append(Violation("dataset.metadata_schema_uri", text))
    return found


def user_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels without the system's, which callers send back but cannot change."""
    return {key: value for key, value in labels.items() if not key.startswith(SYSTEM_PREFIX)}


def labelled(labels: Mapping[str, str], schema_uri: str) -> dict[str, str]:
    """Return the labels with the system's."""
    named = title(schema_uri)
    return user_labels(labels) | ({SCHEMA_LABEL: named} if named else {})


def normal(metadata: Any) -> Any:
    """Return dataset metadata as clients expect to read it: camelCase, a list of objects, a single table."""
    if not isinstance(metadata, dict):
        return metadata
    camel = _camel(metadata)
    config = camel.get("inputConfig")
    if isinstance(config, dict):
        config = camel["inputConfig"] = _camel(config)
        for key, shape in (("gcsSource", _listed), ("bigquerySource", _single)):
            if isinstance(config.get(key), dict):
                config[key] = {**config[key], "uri": shape(config[key].get("uri"))}
    return camel


def tables(metadata: Any, field: str = "dataset.metadata") -> Tables:
    """Return where a table's rows are, from normalised metadata; InvalidArgument unless it names one kind of source."""
    config = metadata.get("inputConfig") if isinstance(metadata, dict) else None
    config = config if isinstance(config, dict) else {}
    gcs = config.get("gcsSource")
    uris = gcs.get("uri") if isinstance(gcs, dict) else None
    bigquery = config.get("bigquerySource")
    table = bigquery.get("uri") if isinstance(bigquery, dict) else None
    if bool(uris) == bool(table):
        text = sentences.ONE_SOURCE
        raise InvalidArgument(violations=[Violation(f"{field}.inputConfig", text)])
    if table:
        if not isinstance(table, str) or not table.startswith("bq://"):
            text = sentences.BAD_TABLE.format(uri=repr(str(table)[:200]))
            raise InvalidArgument(violations=[Violation(f"{field}.inputConfig.bigquerySource.uri", text)])
        return Tables(table=table)
    listed: list[Any] = uris if isinstance(uris, list) else [uris]
    wild = sum("*" in str(uri) for uri in listed)
    if len(listed) > MOST_URIS or wild > MOST_WILD:
        text = sentences.MANY_URIS.format(most=MOST_URIS, most_wild=MOST_WILD, count=len(listed), wild=wild)
        raise InvalidArgument(violations=[Violation(f"{field}.inputConfig.gcsSource.uri", text)])
    checks.refuse([v for uri in listed for v in object_uri(uri, f"{field}.inputConfig.gcsSource.uri")])
    return Tables(uris=tuple(listed))


def object_uri(uri: Any, field: str) -> list[Violation]:
    """Check that a value is `gs://BUCKET/OBJECT`, where the object may hold wildcards."""
    if isinstance(uri, str) and re.fullmatch(r"gs://[^/*?]+/.+", uri, re.DOTALL):
        return []
    return [Violation(field, sentences.BAD_URI.format(uri=repr(str(uri)[:200])))]


def split_of(config: InputDataConfig) -> Split:
    """Return how a training pipeline wants a table divided; InvalidArgument for what a table cannot do."""
    field = "training_pipeline.input_data_config"
    chosen = config.split
    if chosen is None:
        return Split()
    kind = chosen.field.removesuffix("_split")
    if kind not in KINDS:
        text = sentences.NO_ITEMS
        raise InvalidArgument(violations=[Violation(f"{field}.{chosen.field}", text)])
    given: Any = chosen.value
    key = getattr(given, "key", "")
    if kind != "fraction" and not key:
        raise InvalidArgument(violations=[Violation(f"{field}.{chosen.field}.key", sentences.NO_KEY)])
    if kind == "predefined":
        return Split(kind, key=key)
    fractions = complete(
        given.training_fraction, given.validation_fraction, given.test_fraction, f"{field}.{chosen.field}"
    )
    return Split(kind, fractions, key)


def destination_of(config: InputDataConfig) -> str:
    """Return the `gs://` prefix that a pipeline wants its data under; empty when it asks for none.

    FailedPrecondition for BigQuery, which this installation does not export to.
    """
    chosen = config.destination
    if chosen is None:
        return ""
    if chosen.field == "bigquery_destination":
        raise FailedPrecondition(sentences.BIGQUERY_TARGET)
    prefix: str = chosen.value.output_uri_prefix
    if not re.fullmatch(r"gs://[^/]+(/.*)?", prefix, re.DOTALL):
        field = "training_pipeline.input_data_config.gcs_destination.output_uri_prefix"
        text = sentences.BAD_PREFIX.format(prefix=repr(prefix[:200]))
        raise InvalidArgument(violations=[Violation(field, text)])
    return prefix


def directory(prefix: str, name: str, created: Micros) -> str:
    """Return the URI of an export's directory, without a slash at its end, from the instant it was asked for."""
    moment = datetime.fromtimestamp(created // 1_000_000, UTC)
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{created // 1000 % 1000:03d}Z"
    return f"{prefix.rstrip('/')}/dataset-{id_of(name)}-tabular-{stamp}"


def variables(directory_uri: str) -> dict[str, str]:
    """Return what a training program is told of exported CSV (vertex-training.md section 2.5)."""
    uris = {f"AIP_{split.upper()}_DATA_URI": f"{directory_uri}/{split}-*.csv" for split in SPLITS}
    return {"AIP_DATA_FORMAT": "csv", **uris}


def matching(pattern: str, names: Sequence[str]) -> list[str]:
    """Return the object names that a pattern stands for: `*` is any run of characters, all else is itself."""
    return [name for name in names if patterns.fits(name, pattern)]


def _camel(value: Mapping[str, Any]) -> dict[str, Any]:
    return {_STRUCTURAL.get(key, key): inner for key, inner in value.items()}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value
