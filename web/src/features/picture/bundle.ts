// Edges of many replicas drawn as one of their pool, until one of them is looked at. Pure.
import type { Amount, EdgeKind, Node } from "~/api/console.gen";
import { type Moment, type SeenEdge, summed } from "./moment";

export interface Drawn {
  id: string;
  kind: EdgeKind;
  source: string;
  target: string;
  label: string;
  amount: Amount;
  last: number;
  /** ids of the edges that it stands for; itself alone where nothing is bundled */
  members: readonly string[];
}

/** Kinds whose labels say how files were reached: one line for all ways. */
const FILES: ReadonlySet<EdgeKind> = new Set(["reads", "writes"]);

/** The edges of a moment as they are drawn; `alone` is the replica that is looked at. */
export function bundled(
  moment: Moment,
  dense: ReadonlySet<string>,
  poolOf: ReadonlyMap<string, string>,
  alone: string,
): Drawn[] {
  const found = new Map<string, SeenEdge[]>();
  for (const seen of moment.edges) {
    const source = end(seen.edge.source, dense, poolOf, alone);
    const target = end(seen.edge.target, dense, poolOf, alone);
    const single = source === seen.edge.source && target === seen.edge.target;
    const key = single && !FILES.has(seen.edge.kind) ? seen.edge.id : `${seen.edge.kind}:${source}>${target}`;
    const known = found.get(key) ?? [];
    known.push(seen);
    found.set(key, known);
  }
  return [...found].map(([id, all]) => {
    const [first] = all as [SeenEdge, ...SeenEdge[]];
    const labels = new Set(all.map(({ edge }) => edge.label));
    return {
      id,
      kind: first.edge.kind,
      source: end(first.edge.source, dense, poolOf, alone),
      target: end(first.edge.target, dense, poolOf, alone),
      label: labels.size === 1 ? first.edge.label : first.edge.kind === "reads" && labels.has("gcs") ? "gcs" : "",
      amount: summed(all.map(({ amount }) => amount)),
      last: Math.max(...all.map(({ last }) => last)),
      members: all.map(({ edge }) => edge.id),
    };
  });
}

function end(id: string, dense: ReadonlySet<string>, poolOf: ReadonlyMap<string, string>, alone: string): string {
  const pool = poolOf.get(id);
  return pool && dense.has(pool) && id !== alone ? pool : id;
}

/** Replica -> its pool. */
export function poolsOf(nodes: readonly Node[]): ReadonlyMap<string, string> {
  return new Map(nodes.filter((one) => one.kind === "replica").map((one) => [one.id, one.parent]));
}
