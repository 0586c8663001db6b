// The graph around one node, growing where one asks for more.

import { useQuery } from "@tanstack/react-query";
import { type Node, type NodeProps, ViewportPortal } from "@xyflow/react";
import { memo, useCallback, useEffect, useMemo, useState } from "react";
import { Flow } from "~/design/Flow";
import { Problem, Waiting } from "~/design/Notice";
import { useTexts } from "~/i18n";
import { Details } from "./Details";
import { type Arrow, EMPTY, type Graph, grown, type Thing } from "./graph";
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
const NONE: never[] = [];

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
  const { nodes, lines } = useDrawn(graph, open ?? focus, more);
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
            edges={NONE}
            nodeTypes={NODES}
            onOpen={setOpen}
            fit={{ maxZoom: 1.2 }}
          >
            <Lines {...lines} />
          </Flow>
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
): { nodes: Drawn[]; lines: Record<Arrow["kind"], string> } {
  const asked = useMemo<Asked>(
    () => ({
      nodes: [...graph.things.keys()].map((id) => ({ id, width: WIDTH, height: HEIGHT })),
      edges: [...graph.arrows.values()].map(({ from, to }) => ({ from, to })),
    }),
    [graph],
  );
  const placed = useLayout(asked);
  const nodes = useMemo(
    () =>
      [...graph.things.values()]
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
        ),
    [graph, placed, chosen, more],
  );
  const lines = useMemo(() => {
    const found = { reads: "", makes: "" };
    for (const { from, to, kind } of graph.arrows.values()) {
      const [start, end] = [placed[from], placed[to]];
      if (start && end) found[kind] += line(start.x + WIDTH, start.y + HEIGHT / 2, end.x, end.y + HEIGHT / 2);
    }
    return found;
  }, [graph, placed]);
  return { nodes, lines };
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  const bend = Math.max(40, Math.abs(x2 - x1) / 2);
  return `M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
}

/** All lines of one kind are one path: there may be thousands, and none of them is touched alone. */
const Lines = memo(({ reads, makes }: Record<Arrow["kind"], string>) => (
  <ViewportPortal>
    <svg className={css.lines} aria-hidden="true">
      <path d={reads} className={css.reads} />
      <path d={makes} className={css.makes} />
    </svg>
  </ViewportPortal>
));

const ThingNode = memo(({ data: { thing, chosen, more } }: NodeProps<Drawn>) => {
  const say = useTexts(lineageTexts);
  return (
    <div className={css.thing} data-kind={thing.kind} data-chosen={chosen || undefined} title={thing.title}>
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
    </div>
  );
});

const NODES = { thing: ThingNode };
