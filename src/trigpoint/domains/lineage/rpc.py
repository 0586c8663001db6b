"""Which code answers which method of MetadataService."""

from collections.abc import Mapping
from functools import partial

from trigpoint.domains.lineage.edges import Edges
from trigpoint.domains.lineage.kinds import NODES, SCHEMA, STORE
from trigpoint.domains.lineage.nodes import Nodes
from trigpoint.domains.lineage.queries import Lists
from trigpoint.domains.lineage.stores import Stores
from trigpoint.kernel.standard import Handler

SERVICE = "google.cloud.aiplatform.v1.MetadataService"


def handlers(stores: Stores, nodes: Nodes, lists: Lists, edges: Edges) -> Mapping[str, Handler]:
    """Return the handlers by full method name."""
    found: dict[str, Handler] = {
        "CreateMetadataStore": stores.create,
        "GetMetadataStore": partial(stores.get, STORE),
        "ListMetadataStores": lists.stores,
        "DeleteMetadataStore": stores.delete,
        "CreateMetadataSchema": stores.create_schema,
        "GetMetadataSchema": partial(stores.get, SCHEMA),
        "ListMetadataSchemas": lists.schemas,
        "AddContextArtifactsAndExecutions": edges.add_members,
        "AddContextChildren": edges.add_children,
        "RemoveContextChildren": edges.remove_children,
        "AddExecutionEvents": edges.add_events,
        "QueryContextLineageSubgraph": edges.of_context,
        "QueryExecutionInputsAndOutputs": edges.of_execution,
        "QueryArtifactLineageSubgraph": edges.of_artifact,
    }
    for node in NODES:
        noun = node.kind.noun
        found |= {
            f"Create{noun}": partial(nodes.create, node),
            f"Get{noun}": partial(nodes.get, node),
            f"List{noun}s": partial(lists.nodes, node),
            f"Update{noun}": partial(nodes.update, node),
            f"Delete{noun}": partial(nodes.delete, node),
            f"Purge{noun}s": partial(lists.purge, node),
        }
    return {f"{SERVICE}.{method}": handler for method, handler in found.items()}
