"""Metadata stores and their schemas: made, found, removed; the nodes inside them are left to `nodes`."""

from functools import lru_cache, partial
from typing import Any

from trigpoint.core import checks, messages
from trigpoint.core.call import Call
from trigpoint.core.errors import AlreadyExists, InvalidArgument, Violation
from trigpoint.core.names import LOCATION, parent_of
from trigpoint.core.pb.google.cloud.aiplatform.v1.metadata_schema_pb import MetadataSchema
from trigpoint.core.pb.google.cloud.aiplatform.v1.metadata_service_pb import (
    CreateMetadataStoreOperationMetadata,
    DeleteMetadataStoreOperationMetadata,
)
from trigpoint.core.pb.google.cloud.aiplatform.v1.metadata_store_pb import MetadataStore
from trigpoint.domains.lineage import rules, schemas
from trigpoint.domains.lineage.kinds import NODES, SCHEMA, STORE, NodeKind
from trigpoint.kernel.operations import Operations
from trigpoint.kernel.resource import Kernel, Kind, missing
from trigpoint.store import Tx, graph, resources
from trigpoint.store.queries import COLUMNS
from trigpoint.store.resources import Row

CHUNK = 500
"""Rows that one transaction of a large removal takes."""


class Stores:
    """The stores of each location and the schemas in them. Thread-safe."""

    def __init__(self, kernel: Kernel, operations: Operations) -> None:
        self._kernel = kernel
        self._operations = operations

    def ensure(self, tx: Tx, location: str, ident: str = rules.DEFAULT_STORE) -> str:
        """Return the name of a location's store, made with its schemas if it is not there. Idempotent."""
        name = f"{location}/{STORE.collection}/{ident}"
        if resources.get(tx, name) is None:
            self._insert(tx, name, MetadataStore())
        return name

    def require(self, tx: Tx, name: str) -> None:
        """Raise NotFound when there is no store of that name."""
        if resources.get(tx, name) is None:
            raise missing(STORE, name)

    def schema(self, tx: Tx, store: str, node: NodeKind, title: str, version: str) -> schemas.Schema | None:
        """Return the schema that a node names, the latest version when it gives none; None for no title.

        InvalidArgument for one that is not registered, or that is for another kind of node.
        """
        if not title:
            return None
        found = schemas.BUILT_IN.get(title) if version == schemas.DEFAULT_VERSION else None
        found = found or self._registered(tx, store, title, version)
        if found is None:
            known = version and (title in schemas.BUILT_IN or self._registered(tx, store, title, ""))
            text = f"no schema {f'{title} {version}'.strip()} is registered in {store}; create it, or use one that "
            field = f"{node.field}.{'schema_version' if known else 'schema_title'}"
            raise InvalidArgument(violations=[Violation(field, text + "ListMetadataSchemas shows")])
        if found.kind != node.schema_type:
            text = f"schema {title} is for {found.kind}, not {node.schema_type}"
            raise InvalidArgument(violations=[Violation(f"{node.field}.schema_title", text)])
        return found

    def create(self, call: Call, request: Any) -> Any:
        """CreateMetadataStore: done at once; AlreadyExists when the location has one of that id."""
        LOCATION.parse(request.parent, "parent")
        ident = request.metadata_store_id or self._kernel.ids.hex(32)
        checks.refuse(rules.store_id(ident, "metadata_store_id"))
        name = f"{request.parent}/{STORE.collection}/{ident}"
        given = request.metadata_store or MetadataStore()
        store = MetadataStore(
            description=given.description,
            encryption_spec=given.encryption_spec,
            dataplex_config=given.dataplex_config,
        )

        def unit(tx: Tx) -> Any:
            made = self._insert(tx, name, store, call)
            return self._operations.done(tx, call, name, made, CreateMetadataStoreOperationMetadata)

        return self._kernel.store.write(unit)

    def get(self, kind: Kind[Any], call: Call, request: Any) -> Any:
        """GetMetadataStore and GetMetadataSchema."""
        kind.pattern.parse(request.name)
        return self._kernel.rendered(kind, request.name)

    def delete(self, call: Call, request: Any) -> Any:
        """DeleteMetadataStore: with everything in it, in steps that leave the database free for others."""
        STORE.pattern.parse(request.name)
        self._kernel.load(STORE, request.name)
        for collection in (*(node.collection for node in NODES), SCHEMA.collection):
            while self._kernel.store.write(partial(self._empty, collection, request.name)):
                pass

        def unit(tx: Tx) -> Any:
            self._kernel.drop(tx, STORE, self._kernel.load_in(tx, STORE, request.name), call=call)
            return self._operations.done(tx, call, request.name, messages.Empty(), DeleteMetadataStoreOperationMetadata)

        return self._kernel.store.write(unit)

    def create_schema(self, call: Call, request: Any) -> MetadataSchema:
        """CreateMetadataSchema: AlreadyExists when the store has the title in that version, or the id."""
        STORE.pattern.parse(request.parent, "parent")
        given = request.metadata_schema or MetadataSchema()
        kind = getattr(given.schema_type, "name", "")
        parsed = _parsed(given.schema, given.schema_version, kind)
        ident = request.metadata_schema_id or self._kernel.ids.hex(32)
        checks.refuse(rules.store_id(ident, "metadata_schema_id"))
        name = f"{request.parent}/{SCHEMA.collection}/{ident}"
        fresh = MetadataSchema(
            schema_version=given.schema_version,
            schema=given.schema,
            schema_type=given.schema_type,
            description=given.description,
        )

        def unit(tx: Tx) -> MetadataSchema:
            self.require(tx, request.parent)
            if self._registered(tx, request.parent, parsed.title, parsed.version) is not None:
                text = f"Schema {parsed.title} {parsed.version} is already registered in {request.parent}."
                raise AlreadyExists(f"{text} Schemas never change: register it under another version.")
            return self._insert_schema(tx, name, parsed.title, fresh)

        return self._kernel.store.write(unit)

    def _insert(self, tx: Tx, name: str, store: MetadataStore, call: Call | None = None) -> MetadataStore:
        made = self._kernel.insert(tx, STORE, name, store, call=call)
        for schema in schemas.BUILT_IN.values():
            message = MetadataSchema(
                schema_version=schema.version,
                schema=schema.text,
                schema_type=MetadataSchema.MetadataSchemaType[schema.kind],
            )
            self._insert_schema(tx, f"{name}/{SCHEMA.collection}/{schema.ident}", schema.title, message)
        return made.message

    def _insert_schema(self, tx: Tx, name: str, title: str, message: MetadataSchema) -> MetadataSchema:
        """Store a schema; the column of display names holds its title, so that it is found by that."""
        now = self._kernel.clock.now()
        message.name = name
        message.create_time = messages.timestamp(now)
        row = Row(
            name=name,
            kind=SCHEMA.collection,
            parent=parent_of(name),
            message=messages.encode(message),
            json=messages.to_json(message),
            display_name=title,
            create_time=now,
            update_time=now,
        )
        resources.insert(tx, row)
        return message

    def _registered(self, tx: Tx, store: str, title: str, version: str) -> schemas.Schema | None:
        rows = resources.select(tx, SCHEMA.collection, store, COLUMNS["display_name"] == title, limit=1000).rows
        found = [messages.decode(MetadataSchema, row.message) for row in rows]
        wanted = [schema for schema in found if version in ("", schema.schema_version)]
        if not wanted:
            return None
        latest = max(wanted, key=lambda schema: schemas.version_key(schema.schema_version))
        return _parsed(latest.schema, latest.schema_version, latest.schema_type.name)

    def _empty(self, kind: str, store: str, tx: Tx) -> int:
        """Remove some rows of a collection with their edges; return how many."""
        rows = resources.select(tx, kind, store, limit=CHUNK).rows
        for row in rows:
            resources.delete(tx, row, self._kernel.clock.now())
            graph.remove(tx, row.name)
        return len(rows)


@lru_cache(maxsize=256)
def _parsed(text: str, version: str, kind: str) -> schemas.Schema:
    """Read a schema's text; texts never change, so each is read once."""
    return schemas.parse(text, version, kind)
