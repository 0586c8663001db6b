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

/** A straight way down is taken only to the next row; further down lie others, which the way goes around. */
const NEXT = 90;
const AROUND = 34;
/** Parts of a way at which words stand, counted from the user's project: ways that begin together part there. */
const PLACES = [0.17, 0.4, 0.6];
/** Shorter ways have their words in the middle. */
const SHORT = 200;

/** `lane` tells ways apart that begin or end together: their words stand at different places. */
export function route(kind: EdgeKind, from: Box, to: Box, lane = 0): Route {
  const shift = OFFSETS[kind] ?? 0;
  const a = { x: from.x + from.width / 2, y: from.y + from.height / 2 + limited(shift, from) };
  const b = { x: to.x + to.width / 2, y: to.y + to.height / 2 + limited(shift, to) };
  if (to.x >= from.x + from.width) return across(from.x + from.width, a.y, to.x, b.y, lane);
  if (to.x + to.width <= from.x) return across(from.x, a.y, to.x + to.width, b.y, lane);
  const down = to.y >= from.y;
  const ends = [down ? from.y + from.height : from.y, down ? to.y : to.y + to.height] as const;
  if (Math.abs(ends[1] - ends[0]) > NEXT) return around(from.x, a.y, to.x, b.y);
  return along(a.x + shift, ends[0], b.x + shift, ends[1]);
}

function limited(shift: number, box: Box): number {
  return Math.max(-box.height / 2 + 4, Math.min(box.height / 2 - 4, shift));
}

function across(x1: number, y1: number, x2: number, y2: number, lane: number): Route {
  const bend = Math.max(30, Math.abs(x2 - x1) * 0.45) * Math.sign(x2 - x1);
  const place = Math.abs(x2 - x1) < SHORT ? 0.5 : (PLACES[lane % PLACES.length] ?? 0.5);
  const t = x2 > x1 ? place : 1 - place;
  return {
    path: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`,
    x: bezier(x1, x1 + bend, x2 - bend, x2, t),
    y: bezier(y1, y1, y2, y2, t),
  };
}

function around(x1: number, y1: number, x2: number, y2: number): Route {
  const x = Math.min(x1, x2) - AROUND;
  return {
    path: `M${x1},${y1} C${x},${y1} ${x},${y2} ${x2},${y2}`,
    x: x + AROUND / 4,
    y: bezier(y1, y1, y2, y2, 0.75),
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
    x: (x1 + x2) / 2,
    y: (y1 + y2) / 2,
  };
}

/** The lane of each edge: its place among those that leave the user's project at the same node, or come to it there. */
export function lanesOf(
  edges: readonly { id: string; kind: EdgeKind; source: string; target: string }[],
): ReadonlyMap<string, number> {
  const used = new Map<string, number>();
  return new Map(
    edges.map(({ id, kind, source, target }) => {
      const end = kind === "writes" || kind === "logs" ? target : source;
      const lane = used.get(end) ?? 0;
      used.set(end, lane + 1);
      return [id, lane];
    }),
  );
}
