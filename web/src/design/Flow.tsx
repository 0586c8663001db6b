// The canvas on which graphs are drawn, in the looks of the console: pan, zoom, controls with words in both languages.
import {
  Background,
  type Edge,
  type EdgeTypes,
  type FitViewOptions,
  type Node,
  type NodeTypes,
  Panel,
  ReactFlow,
  type ReactFlowInstance,
  type Rect,
  useReactFlow,
  useStore,
  type Viewport,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { ActionIcon, Tooltip, useComputedColorScheme } from "@mantine/core";
import { Maximize, Minus, Plus } from "lucide-react";
import { type MouseEvent, memo, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTexts } from "~/i18n";
import { boundsOf, Follow, isLarge, isLegible, Nearness, nodeAt } from "./afar";
import css from "./Flow.module.css";
import { useGradually } from "./kept";
import { designTexts } from "./texts";

interface Given<N extends Node, E extends Edge> {
  label: string;
  nodes: N[];
  edges: E[];
  nodeTypes: NodeTypes;
  edgeTypes?: EdgeTypes;
  onOpen?: (id: string | undefined) => void;
  onOpenEdge?: (id: string) => void;
  fit?: FitViewOptions;
  /** Changes when all there is takes more room: it is shown again, unless somebody has moved it. */
  extent?: string;
  /** The node that a narrow window shows at first, and any of a large graph: all there is would be too small to read. */
  focus?: string;
  /** Whether that holds for any graph of which one could read nothing. */
  readable?: boolean;
  children?: ReactNode;
}

const NONE: never[] = [];
const DESCRIBED = [
  "node.a11yDescription.keyboardDisabled",
  "node.a11yDescription.default",
  "edge.a11yDescription.default",
];

export function Flow<N extends Node, E extends Edge>(given: Given<N, E>) {
  const { label, nodes, edges, nodeTypes, edgeTypes, onOpen, onOpenEdge, fit, extent, focus, readable, children } =
    given;
  const [moved, setMoved] = useState(false);
  const say = useTexts(designTexts);
  const labels = useMemo(() => Object.fromEntries(DESCRIBED.map((what) => [what, say("keys")])), [say]);
  const scheme = useComputedColorScheme("light");
  const large = isLarge(nodes);
  const [near, setNear] = useState(false);
  const flow = useRef<ReactFlowInstance<N, E>>(undefined);
  const shown = useGradually(large && !near ? NONE : nodes);
  const all = large || shown.length === nodes.length;
  const many = large ? nodes : undefined;
  const show = useCallback<Show>(
    (to, options) => void (many ? to.fitBounds(boundsOf(many), { padding: 0.08 }) : to.fitView(options)),
    [many],
  );
  const showAll = useCallback(
    (to: ReactFlowInstance) => {
      setMoved(large);
      show(to, { duration: 250, padding: 0.08 });
    },
    [large, show],
  );
  const lines = useGradually(all ? edges : NONE);
  return (
    <div className={css.flow} role="application" aria-label={label}>
      <ReactFlow
        nodes={shown as N[]}
        edges={lines as E[]}
        nodeTypes={nodeTypes}
        {...(edgeTypes && { edgeTypes })}
        colorMode={scheme}
        minZoom={large ? 0.01 : 0.05}
        maxZoom={2.5}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={!!onOpenEdge}
        deleteKeyCode={null}
        ariaLabelConfig={labels}
        proOptions={{ hideAttribution: true }}
        onMove={(event) => {
          if (event) setMoved(true);
        }}
        onNodeClick={(_, node) => onOpen?.(node.id)}
        onEdgeClick={(_, edge) => onOpenEdge?.(edge.id)}
        onPaneClick={(event) => onOpen?.(large ? nodeUnder(event, flow.current, nodes)?.id : undefined)}
        onInit={(made) => {
          flow.current = made;
        }}
        onlyRenderVisibleElements={large}
      >
        <Background gap={24} color="var(--line)" />
        {children}
        <Fit when={all} {...{ nodes, fit, show, extent, focus, readable, moved }} />
        {large && <Nearness onChange={setNear} />}
        <Controls onFit={showAll} />
      </ReactFlow>
    </div>
  );
}

/** Shows all there is. */
type Show = (flow: ReactFlowInstance, options?: FitViewOptions) => void;

function nodeUnder<N extends Node, E extends Edge>(
  { clientX, clientY }: MouseEvent,
  flow: ReactFlowInstance<N, E> | undefined,
  nodes: readonly N[],
): Node | undefined {
  return flow && nodeAt(nodes, flow.screenToFlowPosition({ x: clientX, y: clientY }));
}

interface FitGiven {
  when: boolean;
  nodes: readonly Node[];
  show: Show;
  fit: FitViewOptions | undefined;
  extent: string | undefined;
  focus: string | undefined;
  readable: boolean | undefined;
  moved: boolean;
}

const NARROW = 560;
const COMFORTABLE = 0.85;
/** Left free around what is drawn; at the top there may be buttons. */
const EDGE = 12;
const BAR = 48;

/** Shows all once all is there, and again when it or its window changes its size, until somebody moves it; in a
 * narrow window only a part, and how to see the rest; of a crowded graph a part too, that of the node in focus. */
function Fit({ when, nodes, fit, show, extent, focus, readable, moved }: FitGiven) {
  const say = useTexts(designTexts);
  const flow = useReactFlow();
  const size = useStore((state) => `${state.width}x${state.height}`);
  const narrow = useStore((state) => state.width < NARROW);
  const crowded = isLarge(nodes) || (readable && !isLegible(nodes, size));
  const part = narrow || crowded ? nodes.find(({ id }) => id === focus) : undefined;
  const shown = useRef("");
  useEffect(() => {
    const now = part ? `${part.id} ${size}` : `${extent} ${size}`;
    if (!when || moved || shown.current === now || size === "0x0") return;
    const before = shown.current;
    shown.current = now;
    if (crowded && (part || before)) return; // it follows its focus
    if (part) void flow.setViewport(around(part, boundsOf(nodes), size));
    else show(flow, fit);
  }, [when, nodes, fit, show, flow, extent, size, part, crowded, moved]);
  return (
    <>
      {part && narrow && !moved && (
        <Panel position="bottom-left" className={css.hint}>
          {say("pan")}
        </Panel>
      )}
      {part && crowded && <Follow node={part} size={size} view={() => around(part, boundsOf(nodes), size)} />}
    </>
  );
}

/** A view of the surroundings of a node that shows no more emptiness than it must. */
function around(node: Node, all: Rect, size: string): Viewport {
  const [width = 0, height = 0] = size.split("x").map(Number);
  const part = boundsOf([node]);
  const start = (window: number, before: number, from: number, long: number, middle: number) =>
    Math.min(
      before - from * COMFORTABLE,
      Math.max(window - EDGE - (from + long) * COMFORTABLE, window / 2 - middle * COMFORTABLE),
    );
  return {
    x: start(width, EDGE, all.x, all.width, part.x + part.width / 2),
    y: start(height, BAR, all.y, all.height, part.y + part.height / 2),
    zoom: COMFORTABLE,
  };
}

const Controls = memo(({ onFit }: { onFit: (flow: ReactFlowInstance) => void }) => {
  const say = useTexts(designTexts);
  const flow = useReactFlow();
  const buttons = [
    { label: say("zoomIn"), icon: Plus, act: () => flow.zoomIn({ duration: 150 }) },
    { label: say("zoomOut"), icon: Minus, act: () => flow.zoomOut({ duration: 150 }) },
    {
      label: say("fit"),
      icon: Maximize,
      act: () => onFit(flow),
    },
  ];
  return (
    <Panel position="bottom-right" className={css.controls}>
      {buttons.map(({ label, icon: Icon, act }) => (
        <Tooltip key={label} label={label} position="left">
          <ActionIcon variant="default" aria-label={label} onClick={() => void act()}>
            <Icon size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      ))}
    </Panel>
  );
});
