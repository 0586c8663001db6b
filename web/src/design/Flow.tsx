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
  useReactFlow,
  useStore,
  type Viewport,
} from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { ActionIcon, Tooltip, useComputedColorScheme } from "@mantine/core";
import { Maximize, Minus, Plus } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useTexts } from "~/i18n";
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
  /** The node that a narrow window shows, large enough to be read, where all there is would be too small. */
  focus?: string;
  children?: ReactNode;
}

const NONE: never[] = [];
const DESCRIBED = [
  "node.a11yDescription.keyboardDisabled",
  "node.a11yDescription.default",
  "edge.a11yDescription.default",
];

export function Flow<N extends Node, E extends Edge>(given: Given<N, E>) {
  const { label, nodes, edges, nodeTypes, edgeTypes, onOpen, onOpenEdge, fit, extent, focus, children } = given;
  const [moved, setMoved] = useState(false);
  const say = useTexts(designTexts);
  const labels = useMemo(() => Object.fromEntries(DESCRIBED.map((what) => [what, say("keys")])), [say]);
  const scheme = useComputedColorScheme("light");
  const shown = useGradually(nodes);
  const all = shown.length === nodes.length;
  const lines = useGradually(all ? edges : NONE);
  return (
    <div className={css.flow} role="application" aria-label={label}>
      <ReactFlow
        nodes={shown as N[]}
        edges={lines as E[]}
        nodeTypes={nodeTypes}
        {...(edgeTypes && { edgeTypes })}
        colorMode={scheme}
        minZoom={0.05}
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
        onPaneClick={() => onOpen?.(undefined)}
      >
        <Background gap={24} color="var(--line)" />
        {children}
        <Fit when={all} fit={fit} extent={extent} focus={focus} moved={moved} />
        <Controls onFit={() => setMoved(false)} />
      </ReactFlow>
    </div>
  );
}

interface FitGiven {
  when: boolean;
  fit: FitViewOptions | undefined;
  extent: string | undefined;
  focus: string | undefined;
  moved: boolean;
}

const NARROW = 560;
const LEGIBLE = 0.85;
/** Left free around what is drawn; at the top there may be buttons. */
const EDGE = 12;
const BAR = 48;

/** Shows all once all is there, and again when it or its window changes its size, until somebody moves it; in a
 * narrow window only a part, and how to see the rest. */
function Fit({ when, fit, extent, focus, moved }: FitGiven) {
  const say = useTexts(designTexts);
  const flow = useReactFlow();
  const size = useStore((state) => `${state.width}x${state.height}`);
  const part = useStore((state) => state.width < NARROW) ? focus : undefined;
  const shown = useRef("");
  useEffect(() => {
    const now = part ? `${part} ${size}` : `${extent} ${size}`;
    if (!when || moved || shown.current === now || size === "0x0") return;
    shown.current = now;
    void (part ? flow.setViewport(around(flow, part, size)) : flow.fitView(fit));
  }, [when, fit, flow, extent, size, part, moved]);
  return part && !moved ? (
    <Panel position="bottom-left" className={css.hint}>
      {say("pan")}
    </Panel>
  ) : null;
}

/** A view of the surroundings of a node that shows no more emptiness than it must. */
function around(flow: ReactFlowInstance, id: string, size: string): Viewport {
  const [width = 0, height = 0] = size.split("x").map(Number);
  const all = flow.getNodesBounds(flow.getNodes());
  const part = flow.getNodesBounds([id]);
  const start = (window: number, before: number, from: number, long: number, middle: number) =>
    Math.min(before - from * LEGIBLE, Math.max(window - EDGE - (from + long) * LEGIBLE, window / 2 - middle * LEGIBLE));
  return {
    x: start(width, EDGE, all.x, all.width, part.x + part.width / 2),
    y: start(height, BAR, all.y, all.height, part.y + part.height / 2),
    zoom: LEGIBLE,
  };
}

function Controls({ onFit }: { onFit: () => void }) {
  const say = useTexts(designTexts);
  const flow = useReactFlow();
  const buttons = [
    { label: say("zoomIn"), icon: Plus, act: () => flow.zoomIn({ duration: 150 }) },
    { label: say("zoomOut"), icon: Minus, act: () => flow.zoomOut({ duration: 150 }) },
    {
      label: say("fit"),
      icon: Maximize,
      act: () => {
        onFit();
        return flow.fitView({ duration: 250, padding: 0.08 });
      },
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
}
