"""ML Metadata: stores, schemas, artifacts, executions, contexts, their edges and the subgraphs asked of them.

RPCs: MetadataService. Other slices record what they did through `Lineage`, in their own transaction; everything it
writes is create-or-get by an id that derives from what is recorded, so that doing it again changes nothing.
"""

from collections.abc import Iterable, Mapping

from trigpoint.core import messages
from trigpoint.core.pb.google.cloud.aiplatform.v1.artifact_pb import Artifact
from trigpoint.core.pb.google.cloud.aiplatform.v1.context_pb import Context
from trigpoint.core.pb.google.cloud.aiplatform.v1.execution_pb import Execution
from trigpoint.domains.lineage.edges import Edges
from trigpoint.domains.lineage.kinds import ARTIFACTS, CONTEXTS, EXECUTIONS
from trigpoint.domains.lineage.nodes import Nodes
from trigpoint.domains.lineage.queries import Lists
from trigpoint.domains.lineage.rpc import handlers
from trigpoint.domains.lineage.schemas import DEFAULT_VERSION
from trigpoint.domains.lineage.stores import Stores
from trigpoint.kernel.operations import Operations
from trigpoint.kernel.query import Queries
from trigpoint.kernel.reconcile import Reconcilers
from trigpoint.kernel.resource import Kernel
from trigpoint.kernel.standard import Handler
from trigpoint.store import Tx, graph

__all__ = ["Lineage"]


class Lineage:
    """The slice, put together. Thread-safe. Methods that take a transaction do no I/O and are idempotent."""

    def __init__(self, kernel: Kernel, operations: Operations, queries: Queries) -> None:
        self._stores = Stores(kernel, operations)
        self._nodes = Nodes(kernel, operations, self._stores)
        self._lists = Lists(kernel, operations, queries, self._nodes)
        self._edges = Edges(kernel, self._lists.among)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handlers of MetadataService by full method name."""
        return handlers(self._stores, self._nodes, self._lists, self._edges)

    def reconcilers(self) -> Reconcilers:
        """Return none: nothing here goes on after its call."""
        return {}

    def ensure_store(self, tx: Tx, location: str) -> str:
        """Return the name of the default store of `projects/N/locations/L`, made if it is not there."""
        return self._stores.ensure(tx, location)

    def put_artifact(self, tx: Tx, store: str, ident: str, artifact: Artifact) -> str:
        """Make an artifact be as given and return its name; empty fields and other metadata keys stay as they are."""
        return self._nodes.put(tx, ARTIFACTS, f"{store}/{ARTIFACTS.collection}/{ident}", artifact)

    def put_execution(self, tx: Tx, store: str, ident: str, execution: Execution) -> str:
        """Make an execution be as given and return its name, as `put_artifact` does."""
        return self._nodes.put(tx, EXECUTIONS, f"{store}/{EXECUTIONS.collection}/{ident}", execution)

    def put_context(self, tx: Tx, store: str, ident: str, context: Context) -> str:
        """Make a context be as given and return its name, as `put_artifact` does."""
        return self._nodes.put(tx, CONTEXTS, f"{store}/{CONTEXTS.collection}/{ident}", context)

    def put_resource(self, tx: Tx, store: str, ident: str, title: str, resource: str, display_name: str) -> str:
        """Make an artifact that stands for a resource of the API, as Vertex does for datasets and models.

        `title` is such as `google.VertexModel`; `resource` a full name, with its version where it has one.
        """
        location = resource.split("/")[3]
        artifact = Artifact(
            display_name=display_name,
            uri=f"https://{location}-aiplatform.googleapis.com/v1/{resource}",
            state=Artifact.State.LIVE,
            schema_title=title,
            schema_version=DEFAULT_VERSION,
            metadata=messages.struct({"resourceName": resource}),
        )
        return self.put_artifact(tx, store, ident, artifact)

    def link(
        self, tx: Tx, execution: str, artifact: str, *, output: bool, labels: Mapping[str, str] | None = None
    ) -> None:
        """Record that an execution read an artifact, or with `output` wrote it."""
        self._edges.link(tx, execution, artifact, output=output, labels=labels)

    def associate(self, tx: Tx, context: str, nodes: Iterable[str], *, children: Iterable[str] = ()) -> None:
        """Make artifacts and executions members of a context, and other contexts its children."""
        for node in nodes:
            graph.join(tx, context, node)
        for child in children:
            graph.adopt(tx, context, child)
