"""Artifacts, executions and contexts: created, changed and removed alike; their edges are left to `edges`."""

from collections.abc import Mapping, Sequence
from typing import Any

from trigpoint.core import checks, masks, messages
from trigpoint.core.call import Call
from trigpoint.core.errors import FailedPrecondition
from trigpoint.core.names import id_of, parent_of
from trigpoint.domains.lineage import rules, schemas
from trigpoint.domains.lineage.kinds import CONTEXTS, STORE, NodeKind
from trigpoint.domains.lineage.stores import Stores
from trigpoint.kernel.operations import Operations
from trigpoint.kernel.resource import Kernel, Stored, check_etag
from trigpoint.store import Tx, graph, resources


class Nodes:
    """The nodes of lineage graphs. Thread-safe."""

    def __init__(self, kernel: Kernel, operations: Operations, stores: Stores) -> None:
        self._kernel = kernel
        self._operations = operations
        self._stores = stores

    def create(self, node: NodeKind, call: Call, request: Any) -> Any:
        """Create a node with the given id or a fresh one; AlreadyExists when the store has one of that id."""
        STORE.pattern.parse(request.parent, "parent")
        ident = getattr(request, f"{node.field}_id") or self._kernel.ids.number()
        checks.refuse(rules.node_id(ident, f"{node.field}_id"))
        given = getattr(request, node.field) or node.kind.message()
        name = f"{request.parent}/{node.collection}/{ident}"
        return self._kernel.store.write(lambda tx: self.insert(tx, node, name, given, call).message)

    def insert(self, tx: Tx, node: NodeKind, name: str, given: Any, call: Call | None = None) -> Stored[Any]:
        """Check and store a new node in the caller's transaction."""
        store = parent_of(name)
        self._stores.require(tx, store)
        fresh = self._checked(tx, store, node, messages.copy(given))
        return self._kernel.insert(tx, node.kind, name, fresh, call=call)

    def update(self, node: NodeKind, call: Call, request: Any) -> Any:
        """Change a node: the fields of the mask, or without one every given field; `allow_missing` creates it."""
        given = getattr(request, node.field) or node.kind.message()
        node.kind.pattern.parse(given.name, f"{node.field}.name")

        def unit(tx: Tx) -> Any:
            row = resources.get(tx, given.name)
            if row is None and request.allow_missing:
                checks.refuse(rules.node_id(id_of(given.name), f"{node.field}.name"))
                return self.insert(tx, node, given.name, given, call).message
            stored = self._kernel.load_in(tx, node.kind, given.name)
            check_etag(node.kind, given.etag, stored.message.etag)
            fresh = masks.merged(stored.message, given, request.update_mask, node.kind.mutable)
            return self.save(tx, node, stored, fresh, call).message

        return self.with_parents(node, [self._kernel.store.write(unit)])[0]

    def save(self, tx: Tx, node: NodeKind, stored: Stored[Any], fresh: Any, call: Call | None = None) -> Stored[Any]:
        """Check and store a changed node in the caller's transaction."""
        checked = self._checked(tx, parent_of(stored.row.name), node, fresh)
        return self._kernel.save(tx, node.kind, stored, checked, call=call)

    def put(self, tx: Tx, node: NodeKind, name: str, given: Any) -> str:
        """Make a node be as given, in the caller's transaction: created, or changed where it differs. Idempotent.

        Empty fields of `given` leave what is there; metadata is merged key by key. Returns the name.
        """
        row = resources.get(tx, name)
        if row is None:
            return self.insert(tx, node, name, given).row.name
        stored = self._kernel.load_in(tx, node.kind, name)
        fresh = messages.copy(stored.message)
        for field in node.kind.mutable - {"metadata"}:
            if value := getattr(given, field):
                setattr(fresh, field, value)
        if given.metadata is not None:
            fresh.metadata = messages.struct({**_plain(stored.message), **_plain(given)})
        if messages.encode(fresh) != messages.encode(stored.message):
            self.save(tx, node, stored, fresh)
        return name

    def delete(self, node: NodeKind, call: Call, request: Any) -> Any:
        """Remove a node with its edges; FailedPrecondition when a given etag is not the current one."""
        node.kind.pattern.parse(request.name)

        def unit(tx: Tx) -> Any:
            stored = self._kernel.load_in(tx, node.kind, request.name)
            if request.etag and request.etag != stored.message.etag:
                raise FailedPrecondition(
                    f"Specified {node.kind.noun} `etag`: `{request.etag}` does not match server `etag`: "
                    f"`{stored.message.etag}`. Read {request.name} again and delete it with its present etag."
                )
            self._kernel.drop(tx, node.kind, stored, call=call)
            graph.remove(tx, request.name)
            return self._operations.done(tx, call, request.name, messages.Empty())

        return self._kernel.store.write(unit)

    def get(self, node: NodeKind, call: Call, request: Any) -> Any:
        """Return a node; a context with its parents."""
        node.kind.pattern.parse(request.name)
        if node is not CONTEXTS:
            return self._kernel.rendered(node.kind, request.name)
        return self.with_parents(node, [self._kernel.load(node.kind, request.name).message])[0]

    def with_parents(self, node: NodeKind, found: Sequence[Any]) -> Sequence[Any]:
        """Fill the parents of contexts in; other nodes have none."""
        if node is CONTEXTS and found:
            pairs = self._kernel.store.read(lambda tx: graph.parents(tx, [each.name for each in found]))
            for each in found:
                each.parent_contexts = sorted(parent for parent, child in pairs if child == each.name)
        return found

    def _checked(self, tx: Tx, store: str, node: NodeKind, fresh: Any) -> Any:
        """Return the node as it may be stored: metadata trimmed and valid, output fields empty."""
        metadata = rules.trimmed(_plain(fresh))
        checks.refuse(rules.node(fresh, metadata, node.field))
        schema = self._stores.schema(tx, store, node, fresh.schema_title, fresh.schema_version)
        if schema is not None:
            checks.refuse(schemas.violations(schema.definition, metadata, f"{node.field}.metadata"))
            fresh.schema_version = schema.version
        if fresh.metadata is not None:
            fresh.metadata = messages.struct(metadata)
        if node is CONTEXTS:
            fresh.parent_contexts = []
        return fresh


def _plain(message: Any) -> Mapping[str, Any]:
    metadata: Mapping[str, Any] = messages.plain(message.metadata) if message.metadata is not None else {}
    return metadata
