// Where nodes go: left to right in the order of making. Pure, and slow for large graphs: a worker runs it.
import { Graph, layout } from "@dagrejs/dagre";

export interface Asked {
  nodes: { id: string; width: number; height: number }[];
  edges: { from: string; to: string }[];
}

export type Placed = Record<string, { x: number; y: number }>;

export function place({ nodes, edges }: Asked): Placed {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", ranksep: 90, nodesep: 18, marginx: 20, marginy: 20, ranker: "longest-path" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of nodes) graph.setNode(id, { width, height });
  for (const { from, to } of edges) graph.setEdge(from, to);
  layout(graph);
  return Object.fromEntries(
    nodes.map(({ id, width, height }) => {
      const { x = 0, y = 0 } = graph.node(id) as { x?: number; y?: number };
      return [id, { x: x - width / 2, y: y - height / 2 }];
    }),
  );
}
