// The way of an edge between two boxes: a curve from side to side, with a place for its words. Pure.
import type { EdgeKind } from "~/api/console.gen";
import type { Box } from "./arrange";

export interface Route {
  path: string;
  /** where the words stand */
  x: number;
  y: number;
}

/** Edges of different kinds between the same boxes leave at different heights. */
const OFFSETS: Partial<Record<EdgeKind, number>> = {
  reads: -9,
  writes: 9,
  logs: 15,
  fetches: -3,
  asks: 6,
  provides: -6,
};

export function route(kind: EdgeKind, from: Box, to: Box): Route {
  const shift = OFFSETS[kind] ?? 0;
  const a = { x: from.x + from.width / 2, y: from.y + from.height / 2 + limited(shift, from) };
  const b = { x: to.x + to.width / 2, y: to.y + to.height / 2 + limited(shift, to) };
  if (to.x >= from.x + from.width) return across(from.x + from.width, a.y, to.x, b.y, 1);
  if (to.x + to.width <= from.x) return across(from.x, a.y, to.x + to.width, b.y, -1);
  const down = to.y >= from.y;
  return along(a.x + shift, down ? from.y + from.height : from.y, b.x + shift, down ? to.y : to.y + to.height);
}

function limited(shift: number, box: Box): number {
  return Math.max(-box.height / 2 + 4, Math.min(box.height / 2 - 4, shift));
}

function across(x1: number, y1: number, x2: number, y2: number, direction: 1 | -1): Route {
  const bend = Math.max(30, Math.abs(x2 - x1) * 0.45) * direction;
  return {
    path: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`,
    x: (x1 + x2) / 2,
    y: (y1 + y2) / 2,
  };
}

function along(x1: number, y1: number, x2: number, y2: number): Route {
  const bend = (y2 - y1) * 0.45;
  return {
    path: `M${x1},${y1} C${x1},${y1 + bend} ${x2},${y2 - bend} ${x2},${y2}`,
    x: (x1 + x2) / 2,
    y: (y1 + y2) / 2,
  };
}
