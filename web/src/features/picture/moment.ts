// The picture at an instant: what was there, in which state, with which amounts. Pure.
import type { Amount, Edge, Growth, Node, Patch, Picture, State } from "~/api/console.gen";

export interface SeenNode {
  node: Node;
  state: string;
  reason: string;
  /** whether a program printed that reason; else the service says it */
  printed: boolean;
  /** what is known of it at the instant: its facts, and what became known with its states */
  facts: Record<string, unknown>;
  /** whether it is over at the instant */
  over: boolean;
}

export interface SeenEdge {
  edge: Edge;
  amount: Amount | undefined;
  /** when something last passed, at or before the instant */
  last: number;
}

export interface Moment {
  at: number;
  nodes: ReadonlyMap<string, SeenNode>;
  edges: readonly SeenEdge[];
}

/** What of a picture had been observed at an instant. */
export function momentOf(picture: Picture, at: number): Moment {
  const nodes = new Map<string, SeenNode>();
  for (const node of picture.nodes) if (node.since <= at) nodes.set(node.id, seenNode(node, at));
  const edges = picture.edges
    .filter((edge) => edge.since <= at && nodes.has(edge.source) && nodes.has(edge.target))
    .map((edge) => seenEdge(edge, at));
  return { at, nodes, edges };
}

/** What was last seen of each node and edge: the same objects come again while nothing of them changes, so that
 * nothing of them is drawn again. */
const NODES = new WeakMap<Node, { step: State | undefined; count: number; seen: SeenNode }>();
const EDGES = new WeakMap<Edge, SeenEdge>();

function seenNode(node: Node, at: number): SeenNode {
  const step = lastBy(node.states, at);
  const over = node.until > 0 && node.until <= at;
  const count = objectsOf(node).filter((one) => one.time <= at).length;
  const known = NODES.get(node);
  if (known && known.step === step && known.count === count && known.seen.over === over) return known.seen;
  const facts = { ...factsAt(node, at), ...countedAt(node, count) };
  const { state = "", reason = "", printed = false } = step ?? {};
  const seen = { node, state, reason, printed, facts, over };
  NODES.set(node, { step, count, seen });
  return seen;
}

function seenEdge(edge: Edge, at: number): SeenEdge {
  const amount = lastBy(edge.amounts, at);
  const known = EDGES.get(edge);
  if (known && known.amount === amount) return known;
  const seen = { edge, amount, last: amount?.time ?? edge.since };
  EDGES.set(edge, seen);
  return seen;
}

function factsAt(node: Node, at: number): Record<string, unknown> {
  const known = node.states.filter((one) => one.time <= at && Object.keys(one.facts).length > 0);
  return known.length ? Object.assign({}, node.facts, ...known.map((one) => one.facts)) : node.facts;
}

interface Named {
  time: number;
}

/** The objects that a node names, in the order of their times: all it has, or the newest. */
function objectsOf(node: Node): readonly Named[] {
  return Array.isArray(node.facts.objects) ? (node.facts.objects as Named[]) : [];
}

/** What a node says of its objects when so many of those that it names are there. */
function countedAt(node: Node, there: number): Record<string, unknown> {
  const named = objectsOf(node);
  if (there === named.length) return {};
  const all = Number(node.facts.count ?? named.length);
  // Those that it does not name are older than those it does: once one of these is there, so are they.
  const count = there > 0 || all === named.length ? all - (named.length - there) : undefined;
  return { objects: named.slice(0, there), count };
}

/** The last of some steps in time at or before an instant; they are in order. */
export function lastBy<T extends { time: number }>(steps: readonly T[], at: number): T | undefined {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle]?.time ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return steps[low - 1];
}

/** A picture with what a message of its stream changes. */
export function patched(picture: Picture, patch: Patch): Picture {
  const gone = new Set(patch.gone);
  const edges = merged(picture.edges, patch.edges, gone);
  return {
    ...picture,
    title: patch.title,
    tenant: patch.tenant,
    state: patch.state,
    until: patch.until,
    nodes: merged(picture.nodes, patch.nodes, gone),
    edges: patch.grown.length ? grownBy(edges, patch.grown) : edges,
    moments: patch.moments.length ? [...picture.moments, ...patch.moments] : picture.moments,
  };
}

function grownBy(edges: readonly Edge[], grown: readonly Growth[]): Edge[] {
  const by = new Map(grown.map((one) => [one.id, one]));
  return edges.map((edge) => {
    const more = by.get(edge.id);
    return more
      ? { ...edge, until: more.until, amounts: [...edge.amounts.slice(0, more.keep), ...more.amounts] }
      : edge;
  });
}

function merged<T extends { id: string }>(old: readonly T[], changed: readonly T[], gone: ReadonlySet<string>): T[] {
  if (changed.length === 0 && gone.size === 0) return old as T[];
  const fresh = new Map(changed.map((one) => [one.id, one]));
  const kept = old
    .filter((one) => !gone.has(one.id))
    .map((one) => {
      const replaced = fresh.get(one.id);
      fresh.delete(one.id);
      return replaced ?? one;
    });
  return [...kept, ...fresh.values()];
}

/** Amounts of several edges as one. */
export function summed(amounts: readonly (Amount | undefined)[]): Amount {
  const sum: Amount = { time: 0, bytes: 0, rows: 0, lines: 0, count: 0 };
  for (const one of amounts) {
    if (!one) continue;
    sum.time = Math.max(sum.time, one.time);
    sum.bytes += one.bytes;
    sum.rows += one.rows;
    sum.lines += one.lines;
    sum.count += one.count;
  }
  return sum;
}
