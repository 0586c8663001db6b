// What lies a step further: looked for beforehand, so that nothing is offered that brings nothing.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { LineageSubgraph } from "~/api/vertex.gen";
import { type Graph, grown, joined, newIn, type Shown } from "./graph";
import { around } from "./load";

/** Nodes that are looked behind; further ones, and those of larger graphs, offer more without that being known. */
const MOST = 200;
const AT_ONCE = 6;

export interface More {
  /** whether a node has neighbours that are not shown */
  offered: (node: string) => boolean;
  show: (node: string) => Promise<void>;
}

export function useMore(
  graph: Graph,
  { members }: Shown,
  change: (next: (now: Graph) => Graph) => void,
  failed: (problem: unknown) => void,
): More {
  const large = graph.things.size > MOST;
  const asked = useRef(new Set<string>());
  const [found, setFound] = useState<ReadonlyMap<string, LineageSubgraph | null>>(new Map());
  // biome-ignore lint/correctness/useExhaustiveDependencies: when some have answered, the next are asked
  useEffect(() => {
    if (large) return; // every answer draws the graph anew
    const open = [...graph.things.keys()].filter((id) => !graph.explored.has(id) && !asked.current.has(id));
    const next = open.slice(0, Math.max(0, Math.min(AT_ONCE, MOST - asked.current.size)));
    if (next.length === 0) return;
    for (const id of next) asked.current.add(id);
    // Of one that fails nothing is known: it offers more, and says what is wrong when that is asked for.
    void Promise.all(next.map(async (id) => [id, await around(id).catch(() => null)] as const)).then((answers) =>
      setFound((before) => new Map([...before, ...answers])),
    );
  }, [graph, found]);
  useEffect(() => {
    const answers = [...found.values()].filter((one) => one !== null);
    if (joined(graph, answers) !== graph) change((now) => joined(now, answers));
  }, [graph, found, change]);
  const isOpen = useCallback(
    (id: string) => {
      if (graph.explored.has(id)) return false;
      const known = found.get(id);
      if (known) return newIn(graph, known) > 0;
      return known === null || large || (asked.current.size >= MOST && !asked.current.has(id));
    },
    [graph, found, large],
  );
  const offered = useCallback((node: string) => (members.get(node) ?? []).some(isOpen), [members, isOpen]);
  const show = useCallback(
    async (node: string) => {
      try {
        const ids = (members.get(node) ?? []).filter((id) => !graph.explored.has(id));
        const answers = await Promise.all(ids.map(async (id) => found.get(id) ?? (await around(id))));
        change((now) => answers.reduce((all, one, i) => grown(all, one, [ids[i] ?? ""]), now));
      } catch (error) {
        failed(error);
      }
    },
    [members, graph, found, change, failed],
  );
  return useMemo(() => ({ offered, show }), [offered, show]);
}
