"""Answers DatasetService: tables in Cloud Storage and BigQuery are associated, never copied, when they are created."""

from typing import Any

from trigpoint.core import checks, masks, messages
from trigpoint.core.call import Call
from trigpoint.core.errors import InvalidArgument, Unimplemented, Violation
from trigpoint.core.messages import Message
from trigpoint.core.names import LOCATION, pattern, project_of
from trigpoint.core.pb.google.cloud.aiplatform.v1.dataset_pb import Dataset
from trigpoint.core.pb.google.cloud.aiplatform.v1.dataset_service_pb import CreateDatasetOperationMetadata
from trigpoint.domains.datasets import rules
from trigpoint.domains.datasets.work import sources_of
from trigpoint.domains.lineage import Lineage
from trigpoint.domains.storage import Files
from trigpoint.kernel.operations import Operations
from trigpoint.kernel.resource import Fact, Kernel, Kind, Stored, check_etag
from trigpoint.store import Tx

DATASET = Kind(
    "Dataset",
    Dataset,
    pattern("projects/{project}/locations/{location}/datasets/{dataset}"),
    mutable=frozenset({"display_name", "description", "labels"}),
    filters={"metadata_schema_uri": "metadataSchemaUri"},
)
_SOURCE = "dataset.metadata.inputConfig.gcsSource.uri"


class Datasets:
    """The methods that are not standard. Thread-safe."""

    def __init__(self, kernel: Kernel, operations: Operations, lineage: Lineage, files: Files) -> None:
        self._kernel = kernel
        self._operations = operations
        self._lineage = lineage
        self._files = files

    def create(self, call: Call, request: Any) -> Message:
        """CreateDataset: checks that the data is there, stores the dataset and its artifact; done at once."""
        LOCATION.parse(request.parent, "parent")
        given = request.dataset or Dataset()
        checks.refuse(rules.dataset(given))
        metadata = rules.normal(messages.plain(given.metadata) if given.metadata is not None else None)
        if rules.title(given.metadata_schema_uri) in rules.TABLES:
            self._check_source(project_of(request.parent), rules.tables(metadata))
        name = f"{request.parent}/{DATASET.collection}/{self._kernel.ids.number()}"
        fresh = Dataset(
            display_name=given.display_name,
            description=given.description,
            metadata_schema_uri=given.metadata_schema_uri,
            metadata=messages.value(metadata),
            labels=rules.labelled(given.labels, given.metadata_schema_uri),
            encryption_spec=given.encryption_spec,
            model_reference=given.model_reference,
        )

        def unit(tx: Tx) -> Message:
            store = self._lineage.ensure_store(tx, request.parent)
            ident = f"dataset-{name.rsplit('/', 1)[1]}"
            fresh.metadata_artifact = self._lineage.put_resource(
                tx, store, ident, "google.VertexDataset", name, given.display_name
            )
            fact = Fact("dataset.created", {"displayName": given.display_name}, where="user")
            stored = self._kernel.insert(tx, DATASET, name, fresh, facts=(fact,), call=call)
            return self._operations.done(tx, call, name, stored.message, CreateDatasetOperationMetadata)

        return self._kernel.store.write(unit)

    def update(self, call: Call, request: Any) -> Message:
        """UpdateDataset: display name, description and labels; system labels stay whatever is sent."""
        given = request.dataset or Dataset()
        DATASET.pattern.parse(given.name, "dataset.name")

        def edit(tx: Tx, stored: Stored[Dataset]) -> Stored[Dataset]:
            check_etag(DATASET, given.etag, stored.message.etag)
            fresh = masks.merged(stored.message, given, request.update_mask, DATASET.mutable)
            checks.refuse(rules.dataset(fresh))
            fresh.labels = rules.labelled(fresh.labels, fresh.metadata_schema_uri)
            fact = Fact("dataset.updated", where="user")
            return self._kernel.save(tx, DATASET, stored, fresh, facts=(fact,), call=call)

        return self._kernel.change(DATASET, given.name, edit).message

    def refuse_import(self, call: Call, request: Any) -> Message:
        """ImportData: tables are associated when they are created; other kinds are not built."""
        return self._refuse(
            request.name,
            "cannot be imported into: change the objects that it names, or create another dataset with their URIs in "
            "metadata.inputConfig",
        )

    def refuse_export(self, call: Call, request: Any) -> Message:
        """ExportData: training pipelines export tables themselves; other kinds are not built."""
        return self._refuse(
            request.name, "cannot be exported: read the objects that it names, or train with the dataset"
        )

    def _refuse(self, name: str, why: str) -> Message:
        DATASET.pattern.parse(name)
        kind = rules.title(self._kernel.load(DATASET, name).message.metadata_schema_uri)
        if kind in rules.TABLES:
            raise InvalidArgument(violations=[Violation("name", f"A dataset of kind {kind} {why}")])
        raise Unimplemented(
            f"Data items are not built, so a dataset of kind {kind or 'unknown'} stays empty: keep the files and their "
            "labels in Cloud Storage and hand training code their URI as an argument, or make a TABULAR dataset of a "
            "table that lists them."
        )

    def _check_source(self, project: str, tables: rules.Tables) -> None:
        """Check that the data of a table is there; a BigQuery table is taken at its word."""
        if tables.uris:
            sources_of(self._files, project, tables.uris, _SOURCE)
