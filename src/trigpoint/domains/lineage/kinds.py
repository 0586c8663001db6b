"""The resources of the metadata service as the kernel knows them; what may be done to them is in the other files."""

from dataclasses import dataclass
from typing import Any

from trigpoint.core.names import pattern
from trigpoint.core.pb.google.cloud.aiplatform.v1.artifact_pb import Artifact
from trigpoint.core.pb.google.cloud.aiplatform.v1.context_pb import Context
from trigpoint.core.pb.google.cloud.aiplatform.v1.execution_pb import Execution
from trigpoint.core.pb.google.cloud.aiplatform.v1.metadata_schema_pb import MetadataSchema
from trigpoint.core.pb.google.cloud.aiplatform.v1.metadata_store_pb import MetadataStore
from trigpoint.domains.lineage import schemas
from trigpoint.kernel.resource import Kind

_STORE = "projects/{project}/locations/{location}/metadataStores/{metadata_store}"
_FILTERS = {"schema_title": "schemaTitle", "schema_version": "schemaVersion", "description": "description"}
_CHANGEABLE = frozenset({"display_name", "description", "labels", "metadata"})

STORE = Kind("MetadataStore", MetadataStore, pattern(_STORE))
SCHEMA = Kind(
    "MetadataSchema",
    MetadataSchema,
    pattern(_STORE + "/metadataSchemas/{metadata_schema}"),
    filters={"schema_version": "schemaVersion", "schema_type": "schemaType", "description": "description"},
)
ARTIFACT = Kind(
    "Artifact",
    Artifact,
    pattern(_STORE + "/artifacts/{artifact}"),
    mutable=_CHANGEABLE | {"uri", "state"},
    filters=_FILTERS | {"uri": "uri"},
    open_filters=("metadata",),
)
EXECUTION = Kind(
    "Execution",
    Execution,
    pattern(_STORE + "/executions/{execution}"),
    mutable=_CHANGEABLE | {"state"},
    filters=_FILTERS,
    open_filters=("metadata",),
)
CONTEXT = Kind(
    "Context",
    Context,
    pattern(_STORE + "/contexts/{context}"),
    mutable=_CHANGEABLE,
    filters=_FILTERS,
    open_filters=("metadata",),
)


@dataclass(frozen=True, slots=True)
class NodeKind:
    """One of the three kinds of nodes: how requests call it and which schemas describe it."""

    kind: Kind[Any]
    field: str
    """Requests carry it as `artifact`, its id as `artifact_id`."""
    schema_type: str

    @property
    def collection(self) -> str:
        """`artifacts`."""
        return self.kind.collection


ARTIFACTS = NodeKind(ARTIFACT, "artifact", schemas.ARTIFACT)
EXECUTIONS = NodeKind(EXECUTION, "execution", schemas.EXECUTION)
CONTEXTS = NodeKind(CONTEXT, "context", schemas.CONTEXT)
NODES = (ARTIFACTS, EXECUTIONS, CONTEXTS)
