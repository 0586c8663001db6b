// The way of an edge between two boxes: a curve from side to side, with places for its words. Pure.
import type { EdgeKind } from "~/api/console.gen";
import type { Box } from "./arrange";

export interface Point {
  x: number;
  y: number;
}

export interface Route {
  path: string;
  /** where its words may stand, the best place first */
  places: readonly Point[];
}

/** Edges of different kinds between the same boxes leave at different heights. */
const OFFSETS: Partial<Record<EdgeKind, number>> = {
  reads: -9,
  writes: 9,
  orders: 3,
  logs: 15,
  fetches: -3,
  asks: 6,
  provides: -6,
};

/** A straight way down is taken only to the next row; further down lie others, which the way goes around. Copies go from
 * folder to folder, between which there is no room for words.
 */
const NEXT = 90;
const AROUND = 34;
/** Parts of a way across at which words may stand, counted from the user's project: ways that begin together part there. */
const ACROSS = [0.17, 0.4, 0.6, 0.28, 0.5, 0.72, 0.83];
/** Shorter ways have their words about the middle. */
const SHORT = 200;
const SHORTLY = [0.5, 0.35, 0.65];
const AROUND_AT = [0.75, 0.5, 0.25];

export function route(kind: EdgeKind, from: Box, to: Box): Route {
  const shift = OFFSETS[kind] ?? 0;
  const a = { x: from.x + from.width / 2, y: from.y + from.height / 2 + limited(shift, from) };
  const b = { x: to.x + to.width / 2, y: to.y + to.height / 2 + limited(shift, to) };
  if (to.x >= from.x + from.width) return across(from.x + from.width, a.y, to.x, b.y);
  if (to.x + to.width <= from.x) return across(from.x, a.y, to.x + to.width, b.y);
  const down = to.y >= from.y;
  const ends = [down ? from.y + from.height : from.y, down ? to.y : to.y + to.height] as const;
  if (kind === "copies" || Math.abs(ends[1] - ends[0]) > NEXT) return around(from.x, a.y, to.x, b.y);
  return along(a.x + shift, ends[0], b.x + shift, ends[1]);
}

function limited(shift: number, box: Box): number {
  return Math.max(-box.height / 2 + 4, Math.min(box.height / 2 - 4, shift));
}

function across(x1: number, y1: number, x2: number, y2: number): Route {
  const bend = Math.max(30, Math.abs(x2 - x1) * 0.45) * Math.sign(x2 - x1);
  const parts = Math.abs(x2 - x1) < SHORT ? SHORTLY : ACROSS;
  return {
    path: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`,
    places: parts.map((part) => {
      const t = x2 > x1 ? part : 1 - part;
      return { x: bezier(x1, x1 + bend, x2 - bend, x2, t), y: bezier(y1, y1, y2, y2, t) };
    }),
  };
}

function around(x1: number, y1: number, x2: number, y2: number): Route {
  const x = Math.min(x1, x2) - AROUND;
  return {
    path: `M${x1},${y1} C${x},${y1} ${x},${y2} ${x2},${y2}`,
    places: AROUND_AT.map((t) => ({ x: x + AROUND / 4, y: bezier(y1, y1, y2, y2, t) })),
  };
}

function bezier(p0: number, p1: number, p2: number, p3: number, t: number): number {
  const s = 1 - t;
  return s * s * s * p0 + 3 * s * s * t * p1 + 3 * s * t * t * p2 + t * t * t * p3;
}

function along(x1: number, y1: number, x2: number, y2: number): Route {
  const bend = (y2 - y1) * 0.45;
  return {
    path: `M${x1},${y1} C${x1},${y1 + bend} ${x2},${y2 - bend} ${x2},${y2}`,
    places: [{ x: (x1 + x2) / 2, y: (y1 + y2) / 2 }],
  };
}
