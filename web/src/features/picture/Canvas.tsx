// The picture drawn: two regions, what stands in them, and what passes between.
import type { Edge as FlowEdge, Node as FlowNode } from "@xyflow/react";
import { useMemo } from "react";
import type { Picture } from "~/api/console.gen";
import { Flow } from "~/design/Flow";
import { useKept } from "~/design/kept";
import { useTexts } from "~/i18n";
import type { Words } from "./amounts";
import { tellVerb } from "./amounts";
import type { Arrangement, Box } from "./arrange";
import type { Drawn } from "./bundle";
import { EDGES, type EdgeData } from "./edges";
import type { Moment } from "./moment";
import { NODES, type NodeData } from "./nodes";
import { pictureTexts } from "./texts";
import { waysOf } from "./ways";
import { titleOf } from "./words";

interface Given {
  picture: Picture;
  arrangement: Arrangement;
  moment: Moment;
  edges: readonly Drawn[];
  open: string;
  explains: boolean;
  live: boolean;
  onOpen: (id: string | undefined) => void;
}

const FRESH = 2_500_000;
const FIT = { padding: 0.03, maxZoom: 1.1 };

export function Canvas({ picture, arrangement, moment, edges, open, explains, live, onOpen }: Given) {
  const say = useTexts(pictureTexts);
  const nodes = useMemo(
    () => [...regionsOf(picture, arrangement), ...nodesOf(say, arrangement, moment, open, explains)],
    [picture, arrangement, moment, open, explains, say],
  );
  const drawn = useMemo(() => {
    return waysOf(say, edges, arrangement).map(
      ({ id, edge, told, path, place }): FlowEdge<EdgeData> => ({
        id,
        type: "observed",
        source: edge.source,
        target: edge.target,
        ariaLabel: `${tellVerb(say, edge.kind, edge.label)} ${told}`,
        data: {
          kind: edge.kind,
          path,
          place,
          told,
          fresh: moment.at - edge.last < FRESH && (live ? picture.until === 0 : true),
          inferred: edge.label === "found",
          near: open === "" || open === edge.source || open === edge.target,
          members: edge.members,
        },
      }),
    );
  }, [edges, arrangement, moment.at, open, live, picture.until, say]);
  return (
    <Flow
      label={say("title")}
      nodes={useKept(nodes)}
      edges={useKept(drawn)}
      nodeTypes={NODES}
      edgeTypes={EDGES}
      onOpen={(id) => onOpen(id?.startsWith("region:") ? undefined : id)}
      fit={FIT}
      extent={`${arrangement.width}x${arrangement.height}`}
      focus={open || mainOf(picture)}
    />
  );
}

/** The node of the run itself. */
function mainOf({ nodes, run }: Picture): string {
  return nodes.find((one) => one.resource === run)?.id ?? "";
}

function regionsOf(picture: Picture, { regions }: Arrangement): FlowNode<NodeData>[] {
  return (["user", "tenant"] as const).map((region) => ({
    id: `region:${region}`,
    type: "region",
    ...at(regions[region]),
    zIndex: -10,
    selectable: false,
    focusable: false,
    data: { region, title: region === "user" ? picture.project : picture.tenant },
  }));
}

const LAYERS: Record<string, number> = { attempt: -5, pool: -4 };

function nodesOf(
  say: Words,
  { boxes, dense }: Arrangement,
  moment: Moment,
  open: string,
  explains: boolean,
): FlowNode<NodeData>[] {
  return [...moment.nodes.values()].flatMap((seen): FlowNode<NodeData>[] => {
    const box = boxes.get(seen.node.id);
    if (!box) return [];
    const { kind, id, parent } = seen.node;
    const group = kind === "attempt" || kind === "pool";
    return [
      {
        id,
        type: group ? "group" : kind === "replica" && dense.has(parent) ? "chip" : "card",
        ...at(box),
        zIndex: LAYERS[kind] ?? 1,
        ariaLabel: titleOf(say, seen.node),
        data: { seen, open: open === id, explains },
      },
    ];
  });
}

function at({ x, y, width, height }: Box) {
  return { position: { x, y }, width, height, style: { width, height } };
}
