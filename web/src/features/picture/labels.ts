// Where the words of edges stand: on their way, and not upon each other while there is room. Pure.
import { widthOf } from "./measure";
import type { Point, Route } from "./route";

export const LABEL_SIZE = 11.5;
const HEIGHT = 20;
/** Widths are taken in steps, so that words which grow by a digit stay where they are. */
const STEP = 16;

export interface Worded {
  id: string;
  told: string;
  way: Route;
}

interface Taken extends Point {
  width: number;
}

/** The place of each edge's words: the first that is free, else the one with the least upon it. */
export function labelPlaces(edges: readonly Worded[]): ReadonlyMap<string, Point> {
  const taken: Taken[] = [];
  const found = new Map<string, Point>();
  for (const { id, told, way } of edges) {
    const width = Math.ceil((widthOf(told, LABEL_SIZE) + 12) / STEP) * STEP;
    const place = best(way.places, width, taken);
    if (told) taken.push({ ...place, width });
    found.set(id, place);
  }
  return found;
}

function best(places: readonly Point[], width: number, taken: readonly Taken[]): Point {
  let least = Number.POSITIVE_INFINITY;
  let chosen: Point = places[0] ?? { x: 0, y: 0 };
  for (const place of places) {
    const covered = taken.reduce((sum, one) => sum + overlap({ ...place, width }, one), 0);
    if (covered < least) [least, chosen] = [covered, place];
    if (covered === 0) break;
  }
  return chosen;
}

function overlap(one: Taken, other: Taken): number {
  const across = (one.width + other.width) / 2 - Math.abs(one.x - other.x);
  const down = HEIGHT - Math.abs(one.y - other.y);
  return across > 0 && down > 0 ? across * down : 0;
}
