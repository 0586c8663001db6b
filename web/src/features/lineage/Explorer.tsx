// The graph around one node, growing where one asks for more.

import { useQuery } from "@tanstack/react-query";
import type { Node, NodeProps } from "@xyflow/react";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { isLarge } from "~/design/afar";
import { Flow } from "~/design/Flow";
import { useKept } from "~/design/kept";
import { Problem, Waiting } from "~/design/Notice";
import { useTexts } from "~/i18n";
import { Details } from "./Details";
import { folded } from "./fold";
import { EMPTY, type Graph, grown, mainOf, neighbours, type Shown, shown, type Thing } from "./graph";
import css from "./Lineage.module.css";
import { KINDS, Lines } from "./Lines";
import type { Asked } from "./layout";
import { around } from "./load";
import { type Bent, type Lined, lined, type Shapes, shapesOf } from "./paths";
import { lineageTexts } from "./texts";
import { useLayout } from "./useLayout";
import { type More, useMore } from "./useMore";
import { What } from "./What";

const WIDTH = 210;
const HEIGHT = 52;
const SIZE = { width: WIDTH, height: HEIGHT };
/** Steps from the first node of an artifact to the furthest that are shown at once. */
const NEAR = 3;
const NONE: never[] = [];
const FIT = { maxZoom: 1.2 };

export function Explorer({ focus }: { focus: string }) {
  const say = useTexts(lineageTexts);
  const [graph, setGraph] = useState<Graph>(EMPTY);
  const [open, setOpen] = useState<string | undefined>(focus.includes("/contexts/") ? undefined : focus);
  const [problem, setProblem] = useState<unknown>();
  const first = useQuery({ queryKey: ["lineage", focus], queryFn: () => around(focus, NEAR), staleTime: 0 });
  useEffect(() => {
    if (first.data) setGraph(grown(EMPTY, first.data, [focus]));
  }, [first.data, focus]);
  const [apart, setApart] = useState<ReadonlySet<string>>(() => new Set([focus]));
  const seen = useMemo(() => folded(shown(graph), apart), [graph, apart]);
  const more = useMore(graph, seen, setGraph, setProblem);
  const chosenId = seen.nodeOf(open ?? focus);
  const sight = useRef<string>(undefined); // what was opened stays in sight when it is closed
  if (open) sight.current = chosenId;
  const { nodes, lines, shapes } = useDrawn(seen, chosenId, more);
  if (first.isPending) return <Waiting lines={6} height={400} />;
  if (first.isError) return <Problem error={first.error} retry={() => void first.refetch()} />;
  const chosen = open ? seen.things.find(({ id }) => id === chosenId) : undefined;
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
            fit={FIT}
            focus={sight.current ?? mainOf(graph, focus)}
            readable
          >
            <Lines {...lines} shapes={shapes} />
          </Flow>
        )}
        <p className={css.count}>
          {say("nodes", { count: seen.things.length })}
          {KINDS.map((kind) => (
            <span key={kind} className={css.legend} data-kind={kind}>
              {say(`arrow.${kind}`)}
            </span>
          ))}
        </p>
      </div>
      {chosen && (
        <Details
          thing={chosen}
          around={neighbours(seen, chosen.id)}
          onOpen={setOpen}
          onUnfold={(inside) => {
            setApart((before) => new Set([...before, chosen.id]));
            setOpen(inside[0]?.id);
          }}
          onClose={() => setOpen(undefined)}
        />
      )}
    </div>
  );
}

type Drawn = Node<{ thing: Thing; chosen: boolean; more: ((id: string) => Promise<void>) | undefined }, "thing">;

interface Picture {
  nodes: Drawn[];
  lines: Lined;
  /** of a large graph */
  shapes: Shapes | undefined;
}

function useDrawn(graph: Shown, chosen: string, more: More): Picture {
  const asked = useMemo<Asked>(
    () => ({
      nodes: graph.things.map(({ id }) => ({ id, width: WIDTH, height: HEIGHT })),
      edges: graph.arrows.map(({ from, to }) => ({ from, to })),
    }),
    [graph],
  );
  const placed = useLayout(asked);
  const nodes = useMemo(
    () =>
      graph.things
        .filter((thing) => placed[thing.id])
        .map(
          (thing): Drawn => ({
            id: thing.id,
            type: "thing",
            position: placed[thing.id] ?? { x: 0, y: 0 },
            width: WIDTH,
            height: HEIGHT,
            measured: SIZE, // with handles, though it has none, it is known without being drawn and measured
            handles: NONE,
            ariaLabel: `${thing.role}: ${thing.title}`,
            data: { thing, chosen: thing.id === chosen, more: more.offered(thing.id) ? more.show : undefined },
          }),
        ),
    [graph, placed, chosen, more],
  );
  const lines = useMemo(() => {
    const bent = graph.arrows.flatMap((arrow): Bent[] => {
      const [start, end] = [placed[arrow.from], placed[arrow.to]];
      const at = (y: number) => y + HEIGHT / 2;
      return start && end ? [{ arrow, x1: start.x + WIDTH, y1: at(start.y), x2: end.x, y2: at(end.y) }] : [];
    });
    return lined(bent, chosen);
  }, [graph, placed, chosen]);
  const shapes = useMemo(() => {
    const spots = graph.things.flatMap(({ id, kind }) => (placed[id] ? [{ id, kind, ...placed[id] }] : []));
    return isLarge(spots) ? shapesOf(spots, chosen, WIDTH, HEIGHT) : undefined;
  }, [graph, placed, chosen]);
  return { nodes: useKept(nodes), lines, shapes };
}

const ThingNode = memo(({ data: { thing, chosen, more } }: NodeProps<Drawn>) => {
  const say = useTexts(lineageTexts);
  return (
    <div
      className={css.thing}
      data-kind={thing.kind}
      data-chosen={chosen || undefined}
      title={thing.uri || thing.title}
    >
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
            event.currentTarget.closest<HTMLElement>(".react-flow__node")?.focus(); // the button goes
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
