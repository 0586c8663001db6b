// The graph around one node, growing where one asks for more.

import { useQuery } from "@tanstack/react-query";
import { type Edge, Handle, type Node, type NodeProps, Position } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { Flow } from "~/design/Flow";
import { Problem, Waiting } from "~/design/Notice";
import { useTexts } from "~/i18n";
import { Details } from "./Details";
import { EMPTY, type Graph, grown, type Thing } from "./graph";
import css from "./Lineage.module.css";
import type { Asked } from "./layout";
import { around } from "./load";
import { lineageTexts } from "./texts";
import { useLayout } from "./useLayout";
import { What } from "./What";

const WIDTH = 210;
const HEIGHT = 52;
/** Steps from the first node of an artifact to the furthest that are shown at once. */
const NEAR = 3;

export function Explorer({ focus }: { focus: string }) {
  const say = useTexts(lineageTexts);
  const [graph, setGraph] = useState<Graph>(EMPTY);
  const [open, setOpen] = useState<string | undefined>(focus.includes("/contexts/") ? undefined : focus);
  const [problem, setProblem] = useState<unknown>();
  const first = useQuery({ queryKey: ["lineage", focus], queryFn: () => around(focus, NEAR), staleTime: 0 });
  useEffect(() => {
    if (first.data) setGraph(grown(EMPTY, first.data, [focus]));
  }, [first.data, focus]);
  const more = useCallback(async (id: string) => {
    try {
      const found = await around(id);
      setGraph((now) => grown(now, found, [id]));
    } catch (error) {
      setProblem(error);
    }
  }, []);
  const { nodes, edges } = useDrawn(graph, open ?? focus, more);
  if (first.isPending) return <Waiting lines={6} height={400} />;
  if (first.isError) return <Problem error={first.error} retry={() => void first.refetch()} />;
  const chosen = open ? graph.things.get(open) : undefined;
  return (
    <div className={css.explorer}>
      <div className={css.canvas}>
        {problem !== undefined && <Problem error={problem} />}
        {nodes.length > 0 && (
          <Flow
            label={say("title")}
            nodes={nodes}
            edges={edges}
            nodeTypes={NODES}
            onOpen={setOpen}
            fit={{ maxZoom: 1.2 }}
          />
        )}
        <p className={css.count}>{say("nodes", { count: graph.things.size })}</p>
      </div>
      {chosen && <Details thing={chosen} onClose={() => setOpen(undefined)} />}
    </div>
  );
}

type Drawn = Node<{ thing: Thing; chosen: boolean; more: ((id: string) => Promise<void>) | undefined }, "thing">;

function useDrawn(
  graph: Graph,
  chosen: string,
  more: (id: string) => Promise<void>,
): { nodes: Drawn[]; edges: Edge[] } {
  const asked = useMemo<Asked>(
    () => ({
      nodes: [...graph.things.keys()].map((id) => ({ id, width: WIDTH, height: HEIGHT })),
      edges: [...graph.arrows.values()].map(({ from, to }) => ({ from, to })),
    }),
    [graph],
  );
  const placed = useLayout(asked);
  return useMemo(() => {
    const nodes = [...graph.things.values()]
      .filter((thing) => placed[thing.id])
      .map(
        (thing): Drawn => ({
          id: thing.id,
          type: "thing",
          position: placed[thing.id] ?? { x: 0, y: 0 },
          width: WIDTH,
          height: HEIGHT,
          ariaLabel: `${thing.role}: ${thing.title}`,
          data: { thing, chosen: thing.id === chosen, more: graph.explored.has(thing.id) ? undefined : more },
        }),
      );
    const edges = [...graph.arrows.values()]
      .filter(({ from, to }) => placed[from] && placed[to])
      .map(
        ({ id, from, to, kind }): Edge => ({
          id,
          source: from,
          target: to,
          className: css[kind] ?? "",
          animated: false,
          focusable: false,
        }),
      );
    return { nodes, edges };
  }, [graph, placed, chosen, more]);
}

function ThingNode({ data: { thing, chosen, more } }: NodeProps<Drawn>) {
  const say = useTexts(lineageTexts);
  return (
    <div className={css.thing} data-kind={thing.kind} data-chosen={chosen || undefined} title={thing.title}>
      <Handle type="target" position={Position.Left} />
      <span className={css.role}>
        <What thing={thing} />
      </span>
      <span className={css.title}>{thing.title}</span>
      {more && (
        <button
          type="button"
          className={css.plus}
          aria-label={say("more")}
          title={say("more")}
          onClick={(event) => {
            event.stopPropagation();
            void more(thing.id);
          }}
        >
          {"+"}
        </button>
      )}
      <Handle type="source" position={Position.Right} />
    </div>
  );
}

const NODES = { thing: ThingNode };
