"""Metadata schemas: the titles every store knows, schema texts read, and metadata checked against them; pure.

Rules: vertex-services.md section 1.4. A shape below is the YAML in short: a word is a scalar type, a mapping an object,
a list of one an array.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from trigpoint.core.errors import InvalidArgument, Violation

ARTIFACT, EXECUTION, CONTEXT = "ARTIFACT_TYPE", "EXECUTION_TYPE", "CONTEXT_TYPE"
LARGEST_TEXT = 204_800
"""Bytes that a schema's text may have."""

DEFAULT_VERSION = "0.0.1"

Shape = str | dict[str, Any] | list[Any]

_TITLE = re.compile(r"[a-z][a-z0-9]{1,19}\.[A-Z][A-Za-z0-9]{1,48}")
_VERSION = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}", re.ASCII)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*")

_RESOURCE = {"resourceName": "string"}
_CONTAINER: dict[str, Shape] = {
    "imageUri": "string",
    "command": ["string"],
    "args": ["string"],
    "env": [{"name": "string", "value": "string"}],
    "ports": [{"containerPort": "integer"}],
    "predictRoute": "string",
    "healthRoute": "string",
}
_PREDICT_SCHEMATA = {
    "instanceSchemaUri": "string",
    "parametersSchemaUri": "string",
    "predictionSchemaUri": "string",
}
_REGRESSION = {
    "rootMeanSquaredError": "number",
    "meanAbsoluteError": "number",
    "meanAbsolutePercentageError": "number",
    "rSquared": "number",
    "rootMeanSquaredLogError": "number",
}
_FORECASTING = _REGRESSION | {
    "weightedAbsolutePercentageError": "number",
    "rootMeanSquaredPercentageError": "number",
    "symmetricMeanAbsolutePercentageError": "number",
}
_AT_A_THRESHOLD = {
    "confidenceThreshold": "number",
    "recall": "number",
    "precision": "number",
    "f1Score": "number",
    "maxPredictions": "integer",
    "falsePositiveRate": "number",
    "accuracy": "number",
    "truePositiveCount": "integer",
    "falsePositiveCount": "integer",
    "falseNegativeCount": "integer",
    "trueNegativeCount": "integer",
    "recallAt1": "number",
    "precisionAt1": "number",
    "falsePositiveRateAt1": "number",
    "f1ScoreAt1": "number",
}
_CLASSIFICATION: dict[str, Shape] = {
    "aggregationType": "string",
    "aggregationThreshold": "number",
    "recall": "number",
    "precision": "number",
    "f1Score": "number",
    "accuracy": "number",
    "auPrc": "number",
    "auRoc": "number",
    "logLoss": "number",
    "confusionMatrix": {"annotationSpecs": [{"displayName": "string", "id": "string"}], "rows": [[]]},
    "confidenceMetrics": [_AT_A_THRESHOLD],
}
_METRICS = {
    "type": "string",
    "accuracy": "number",
    "precision": "number",
    "recall": "number",
    "f1score": "number",
    "mean_absolute_error": "number",
    "mean_squared_error": "number",
}
_BQ_MODEL = {"projectId": "string", "datasetId": "string", "modelId": "string"}
_BQ_TABLE = {"projectId": "string", "datasetId": "string", "tableId": "string", "expirationTime": "string"}

_PROPERTIES: dict[str, dict[str, dict[str, Shape]]] = {
    ARTIFACT: {
        "system.Artifact": {},
        "system.Dataset": {"container_format": "string", "payload_format": "string"},
        "system.Model": {"framework": "string", "framework_version": "string", "payload_format": "string"},
        "system.Metrics": dict(_METRICS),
        "system.ClassificationMetrics": {},
        "system.SlicedClassificationMetrics": {},
        "system.HTML": {},
        "system.Markdown": {},
        "google.VertexDataset": dict(_RESOURCE),
        "google.VertexModel": dict(_RESOURCE),
        "google.VertexEndpoint": dict(_RESOURCE),
        "google.VertexBatchPredictionJob": {
            "resourceName": "string",
            "bigqueryOutputTable": "string",
            "bigqueryOutputDataset": "string",
            "gcsOutputDirectory": "string",
        },
        "google.VertexTensorboardRun": {"resourceName": "string", "vertex_experiment_tracking": "boolean"},
        "google.BQMLModel": dict(_BQ_MODEL),
        "google.BQTable": dict(_BQ_TABLE),
        "google.UnmanagedContainerModel": {"predictSchemata": _PREDICT_SCHEMATA, "containerSpec": _CONTAINER},
        "google.ClassificationMetrics": dict(_CLASSIFICATION),
        "google.RegressionMetrics": dict(_REGRESSION),
        "google.ForecastingMetrics": dict(_FORECASTING),
        "google.ExperimentModel": {
            "frameworkName": "string",
            "frameworkVersion": "string",
            "modelFile": "string",
            "modelClass": "string",
            "predictSchemata": _PREDICT_SCHEMATA,
        },
    },
    EXECUTION: {
        "system.ContainerExecution": {},
        "system.CustomJobExecution": {},
        "system.Run": {},
        "system.DagExecution": {},
        "system.ResolverExecution": {},
        "system.ImporterExecution": {},
    },
    CONTEXT: {
        "system.Experiment": {"experiment_deleted": "boolean"},
        "system.ExperimentRun": {},
        "system.Pipeline": {},
        "system.PipelineRun": {},
    },
}


@dataclass(frozen=True, slots=True)
class Schema:
    """A registered schema: what metadata of one title and version must look like."""

    title: str
    version: str
    kind: str
    """ARTIFACT, EXECUTION or CONTEXT."""
    definition: Mapping[str, Any]
    """The parsed text."""

    @property
    def ident(self) -> str:
        """The id of a schema that every store has, such as `system-resolver-execution-v0-0-1`."""
        namespace, _, name = self.title.partition(".")
        words = "-".join(_WORDS.findall(name)).lower()
        return f"{namespace}-{words}-v{self.version.replace('.', '-')}"

    @property
    def text(self) -> str:
        """The YAML text."""
        return yaml.safe_dump(dict(self.definition), sort_keys=False)


def parse(text: str, version: str, kind: str, field: str = "metadata_schema") -> Schema:
    """Return the schema that a user's text is; InvalidArgument naming the field for one that breaks the rules."""
    problems = []
    if not _VERSION.fullmatch(version):
        problems.append(Violation(f"{field}.schema_version", f"{version!r} must be three numbers such as 0.0.1"))
    if kind not in (ARTIFACT, EXECUTION, CONTEXT):
        problems.append(Violation(f"{field}.schema_type", f"must be one of {ARTIFACT}, {EXECUTION}, {CONTEXT}"))
    definition = _load(text, f"{field}.schema")
    title = definition.get("title")
    if not isinstance(title, str) or not _TITLE.fullmatch(title):
        problems.append(
            Violation(
                f"{field}.schema",
                f"its title must be namespace.Type such as acme.Model (namespace 2-20 characters [a-z0-9], "
                f"type 2-49 characters that start with a capital), not {_quoted(title)}",
            )
        )
    if problems:
        raise InvalidArgument(violations=problems)
    return Schema(str(title), version, kind, definition)


def _quoted(title: Any) -> str:
    return repr(title[:80]) if isinstance(title, str) else f"a {type(title).__name__}"


def violations(schema: Mapping[str, Any], metadata: Mapping[str, Any], field: str) -> list[Violation]:
    """Return what is wrong with metadata; only fields that both sides know are compared."""
    return list(_object(schema, metadata, field))


def version_key(version: str) -> tuple[int, ...]:
    """Return what sorts versions: `0.0.10` after `0.0.9`."""
    return tuple(int(part) for part in version.split("."))


class _Plain(yaml.SafeLoader):
    """Reads YAML without references: merged into one another they make a gigabyte of two hundred bytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references are not taken")
        return super().compose_node(parent, index)


def _load(text: str, field: str) -> dict[str, Any]:
    if len(text.encode()) > LARGEST_TEXT:
        raise InvalidArgument(violations=[Violation(field, f"must not be longer than {LARGEST_TEXT} bytes")])
    try:
        # The pure Python loader: the C one overflows the stack of the whole server on deep nesting.
        loaded = yaml.load(text, _Plain)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError, TypeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where else ""
        raise InvalidArgument(violations=[Violation(field, f"is not valid YAML{line}")]) from error
    if not isinstance(loaded, dict) or any(not isinstance(key, str) for key in loaded):
        raise InvalidArgument(violations=[Violation(field, "must be a YAML mapping with `title` and `properties`")])
    return loaded


def _object(schema: Mapping[str, Any], value: Mapping[str, Any], field: str) -> Iterator[Violation]:
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    for name in required if isinstance(required, list) else []:
        if isinstance(name, str) and name not in value:
            yield Violation(f"{field}.{name}", "is required by the schema")
    if schema.get("additionalProperties") is False:
        for name in value:
            if name not in properties:
                yield Violation(f"{field}.{name}", "is not in the schema, which allows no additional properties")
    for name, rule in properties.items():
        if isinstance(rule, dict) and value.get(name) is not None:
            yield from _value(rule, value[name], f"{field}.{name}")


def _value(schema: Mapping[str, Any], value: Any, field: str) -> Iterator[Violation]:
    wanted = schema.get("type")
    if isinstance(wanted, str) and not _is(wanted, value):
        yield Violation(field, f"must be of type {wanted} as its schema says, not {_name(value)}")
    elif isinstance(value, dict):
        yield from _object(schema, value, field)
    elif isinstance(value, list) and isinstance(rule := schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from _value(rule, item, f"{field}[{index}]")


def _is(wanted: str, value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "string": isinstance(value, str),
        "number": number,
        "integer": number and float(value).is_integer(),
        "boolean": isinstance(value, bool),
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
    }.get(wanted, True)


def _name(value: Any) -> str:
    return {str: "string", bool: "boolean", dict: "object", list: "array"}.get(type(value), "number")


def _definition(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, str):
        return {"type": shape}
    if isinstance(shape, list):
        return {"type": "array"} | ({"items": _definition(shape[0])} if shape else {})
    properties = {name: _definition(inner) for name, inner in shape.items()}
    return {"type": "object"} | ({"properties": properties} if properties else {})


def _built_in() -> Iterator[Schema]:
    for kind, titles in _PROPERTIES.items():
        for title, properties in titles.items():
            definition = {"title": title, "version": DEFAULT_VERSION} | _definition(dict(properties))
            yield Schema(title, DEFAULT_VERSION, kind, definition)


BUILT_IN: Mapping[str, Schema] = {schema.title: schema for schema in _built_in()}
"""The schemas that every store has, by title."""
