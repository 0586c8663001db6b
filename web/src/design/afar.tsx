// Large graphs from afar: below the zoom at which one can read nodes none are there, for a browser moves a thousand of
// them slowly. Whoever gives the graph draws shapes in their places; the node of one that is clicked is found here.
import {
  type Node,
  type Rect,
  useReactFlow,
  useStore,
  useStoreApi,
  type Viewport,
  type XYPosition,
} from "@xyflow/react";
import { useEffect, useRef } from "react";

const MANY = 200;
/** Smaller letters than at this zoom nobody can read. */
const LEGIBLE = 0.4;

/** Whether a graph has so many nodes that only those are there that one can see and read. */
export function isLarge(nodes: readonly unknown[]): boolean {
  return nodes.length > MANY;
}

/** Whether one could read the nodes of a graph if a window showed all of them. */
export function isLegible(nodes: readonly Node[], size: string): boolean {
  const [width = 0, height = 0] = size.split("x").map(Number);
  const all = boundsOf(nodes);
  return width === 0 || Math.min(width / all.width, height / all.height) >= LEGIBLE;
}

/** Tells whether nodes can be read at the zoom that is shown. */
export function Nearness({ onChange }: { onChange: (near: boolean) => void }) {
  const near = useStore((state) => state.transform[2] >= LEGIBLE);
  useEffect(() => onChange(near), [near, onChange]);
  return null;
}

/** Brings a node into sight when it, its place or the window's size is another than before, unless it is there to read. */
export function Follow({ node, size, view }: { node: Node; size: string; view: () => Viewport }) {
  const flow = useReactFlow();
  const store = useStoreApi();
  const begun = useRef(false);
  const box = boxOf(node);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only these call for it, not that somebody moves the graph
  useEffect(() => {
    const { width, height, transform } = store.getState();
    if (width === 0) return;
    const [x, y, zoom] = transform;
    const [left, top] = [box.x * zoom + x, box.y * zoom + y];
    const inSight =
      zoom >= LEGIBLE && left >= 0 && top >= 0 && left + box.width * zoom <= width && top + box.height * zoom <= height;
    if (!inSight || !begun.current) void flow.setViewport(view(), { duration: begun.current ? 250 : 0 });
    begun.current = true;
  }, [node.id, box.x, box.y, size]);
  return null;
}

/** What all nodes take, by the places and sizes that they were given. */
export function boundsOf(nodes: readonly Node[]): Rect {
  const boxes = nodes.map(boxOf);
  const [x, y] = [Math.min(...boxes.map((one) => one.x)), Math.min(...boxes.map((one) => one.y))];
  const right = Math.max(...boxes.map((one) => one.x + one.width));
  const bottom = Math.max(...boxes.map((one) => one.y + one.height));
  return { x, y, width: right - x, height: bottom - y };
}

/** The node that lies at a place. */
export function nodeAt(nodes: readonly Node[], { x, y }: XYPosition): Node | undefined {
  return nodes.find((node) => {
    const box = boxOf(node);
    return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
  });
}

function boxOf({ position, width = 0, height = 0 }: Node): Rect {
  return { ...position, width, height };
}
