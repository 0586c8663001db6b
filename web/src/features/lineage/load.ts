// Asks the API for pieces of the graph.
import { vertex } from "~/api/client";
import type { LineageSubgraph } from "~/api/vertex.gen";

/** What is around a node, by its full name: an artifact, an execution or a context. */
export function around(name: string, hops = 1): Promise<LineageSubgraph> {
  if (name.includes("/artifacts/")) {
    return vertex(`${name}:queryArtifactLineageSubgraph`, { query: { maxHops: hops } });
  }
  if (name.includes("/contexts/")) return vertex(`${name}:queryContextLineageSubgraph`);
  return vertex(`${name}:queryExecutionInputsAndOutputs`);
}
