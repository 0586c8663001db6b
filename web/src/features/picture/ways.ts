// The edges of a moment as they are drawn: with their words, their ways, and where the words stand. Pure.
import { tellShort, type Words } from "./amounts";
import type { Arrangement } from "./arrange";
import type { Drawn } from "./bundle";
import { labelPlaces } from "./labels";
import { type Point, route } from "./route";

export interface Way {
  id: string;
  edge: Drawn;
  told: string;
  path: string;
  /** where the words stand */
  place: Point;
}

/** The edges whose ends are drawn. */
export function waysOf(say: Words, edges: readonly Drawn[], { boxes }: Arrangement): Way[] {
  const drawn = edges.flatMap((edge) => {
    const from = boxes.get(edge.source);
    const to = boxes.get(edge.target);
    if (!from || !to) return [];
    const told = tellShort(say, edge.kind, edge.label, edge.amount);
    return [{ id: edge.id, edge, told, way: route(edge.kind, from, to) }];
  });
  const places = labelPlaces(drawn);
  return drawn.map(({ id, edge, told, way }) => ({ id, edge, told, path: way.path, place: places.get(id) ?? NOWHERE }));
}

const NOWHERE = { x: 0, y: 0 };
