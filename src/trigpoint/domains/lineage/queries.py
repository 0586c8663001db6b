"""Lists and purges of stores, schemas and nodes; how a filter becomes SQL is the kernel's business."""

from typing import Any

from sqlalchemy import and_

from trigpoint.core import messages
from trigpoint.core.call import Call
from trigpoint.core.errors import InvalidArgument, Violation
from trigpoint.core.messages import Message
from trigpoint.core.names import LOCATION
from trigpoint.core.pb.google.cloud.aiplatform.v1 import metadata_service_pb as service
from trigpoint.domains.lineage import sentences
from trigpoint.domains.lineage.filters import Relations
from trigpoint.domains.lineage.kinds import ARTIFACT, SCHEMA, STORE, NodeKind
from trigpoint.domains.lineage.nodes import Nodes
from trigpoint.domains.lineage.stores import CHUNK
from trigpoint.kernel.operations import Operations
from trigpoint.kernel.query import Condition, Queries
from trigpoint.kernel.resource import Kernel
from trigpoint.store import Tx, graph, resources
from trigpoint.store.rows import RESOURCES

SAMPLE = 100
"""Names that a purge shows of what it would delete."""


class Lists:
    """Answers what is there. Thread-safe."""

    def __init__(self, kernel: Kernel, operations: Operations, queries: Queries, nodes: Nodes) -> None:
        self._kernel = kernel
        self._operations = operations
        self._queries = queries
        self._nodes = nodes
        self._relations = Relations(queries)

    def stores(self, call: Call, request: Any) -> Message:
        """ListMetadataStores."""
        LOCATION.parse(request.parent, "parent")
        page = self._queries.page(STORE, request)
        return service.ListMetadataStoresResponse(metadata_stores=page.items, next_page_token=page.token)

    def schemas(self, call: Call, request: Any) -> Message:
        """ListMetadataSchemas: by title with wildcards, version and type."""
        STORE.pattern.parse(request.parent, "parent")
        page = self._queries.page(SCHEMA, request, extra=self._relations.schemas)
        return service.ListMetadataSchemasResponse(metadata_schemas=page.items, next_page_token=page.token)

    def nodes(self, node: NodeKind, call: Call, request: Any) -> Message:
        """ListArtifacts, ListExecutions, ListContexts."""
        STORE.pattern.parse(request.parent, "parent")
        page = self._queries.page(node.kind, request, extra=self._relations.of(node.kind))
        response = messages.message_class(f"google.cloud.aiplatform.v1.List{node.kind.noun}sResponse")
        items = self._nodes.with_parents(node, page.items)
        return response(**{node.collection: items, "next_page_token": page.token})

    def purge(self, node: NodeKind, call: Call, request: Any) -> Message:
        """PurgeArtifacts and so on: counts what a filter matches, and with `force` deletes it, in steps."""
        STORE.pattern.parse(request.parent, "parent")
        self._kernel.load(STORE, request.parent)
        where = self._queries.condition(node.kind, request.filter, self._relations.of(node.kind))
        if where is None:
            text = sentences.NO_FILTER
            raise InvalidArgument(violations=[Violation("filter", text)])
        count, sample = self._removed(node, request, where) if request.force else self._found(node, request, where)
        response = messages.message_class(f"google.cloud.aiplatform.v1.Purge{node.kind.noun}sResponse")
        metadata = messages.message_class(f"google.cloud.aiplatform.v1.Purge{node.kind.noun}sMetadata")
        answer = response(purge_count=count, purge_sample=sample)
        return self._kernel.store.write(lambda tx: self._operations.done(tx, call, request.parent, answer, metadata))

    def among(self, tx: Tx, store: str, names: set[str], text: str) -> set[str]:
        """Return those of the named artifacts of a store that meet a filter."""
        where = self._queries.condition(ARTIFACT, text, self._relations.artifacts)
        if where is None:
            return names
        found: set[str] = set()
        listed = sorted(names)
        for start in range(0, len(listed), CHUNK):
            some = listed[start : start + CHUNK]
            page = resources.select(
                tx, ARTIFACT.collection, store, and_(where, RESOURCES.c.name.in_(some)), limit=CHUNK
            )
            found.update(row.name for row in page.rows)
        return found

    def _found(self, node: NodeKind, request: Any, where: Condition) -> tuple[int, list[str]]:
        def read(tx: Tx) -> tuple[int, list[str]]:
            page = resources.select(tx, node.collection, request.parent, where, limit=SAMPLE)
            return resources.count(tx, node.collection, request.parent, where), [row.name for row in page.rows]

        return self._kernel.store.read(read)

    def _removed(self, node: NodeKind, request: Any, where: Condition) -> tuple[int, list[str]]:
        def unit(tx: Tx) -> int:
            rows = resources.select(tx, node.collection, request.parent, where, limit=CHUNK).rows
            for row in rows:
                resources.delete(tx, row, self._kernel.clock.now())
                graph.remove(tx, row.name)
            return len(rows)

        count = 0
        while removed := self._kernel.store.write(unit):
            count += removed
        return count, []
