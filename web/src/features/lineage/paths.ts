// Lines between nodes as paths: there may be thousands, so that all of one kind are one. Pure.
import type { Arrow, Thing } from "./graph";

/** A line from the right of one node to the left of another. */
export interface Bent {
  arrow: Arrow;
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

export interface Lined {
  lines: Record<Arrow["kind"], string>;
  heads: Record<Arrow["kind"], string>;
  /** of the node that is chosen: what its lines say, and where */
  words: { id: string; kind: Arrow["kind"]; x: number; y: number }[];
}

/** Nodes as shapes, of each kind in one path: all there is of a large graph from afar. */
export type Shapes = Record<Thing["kind"] | "chosen", string>;

export interface Spot {
  id: string;
  kind: Thing["kind"];
  x: number;
  y: number;
}

const NONE: Record<Arrow["kind"], string> = { reads: "", makes: "", runs: "" };
const HEAD = 7;
/** Lines of one node that say what they are; more would hide each other. */
const MOST_WORDS = 24;

export function lined(bent: readonly Bent[], chosen: string): Lined {
  const found: Lined = { lines: { ...NONE }, heads: { ...NONE }, words: [] };
  for (const { arrow, x1, y1, x2, y2 } of bent) {
    const bend = Math.max(40, Math.abs(x2 - x1) / 2);
    found.lines[arrow.kind] += `M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
    found.heads[arrow.kind] += `M${x2},${y2}l${-HEAD},${-HEAD / 2}v${HEAD}z`;
    if (arrow.from === chosen || arrow.to === chosen) {
      found.words.push({ id: arrow.id, kind: arrow.kind, x: (x1 + x2) / 2, y: (y1 + y2) / 2 });
    }
  }
  return { ...found, words: found.words.slice(0, MOST_WORDS) };
}

export function shapesOf(spots: readonly Spot[], chosen: string, width: number, height: number): Shapes {
  const found: Shapes = { artifact: "", execution: "", chosen: "" };
  for (const { id, kind, x, y } of spots) {
    const round = kind === "execution" ? height / 2 : 8;
    const [across, down] = [width - 2 * round, height - 2 * round];
    const corner = (right: number, below: number) => `a${round},${round} 0 0 1 ${right * round},${below * round}`;
    const shape = `M${x + round},${y}h${across}${corner(1, 1)}v${down}${corner(-1, 1)}h${-across}${corner(-1, -1)}v${-down}${corner(1, -1)}z`;
    found[kind] += shape;
    if (id === chosen) found.chosen = shape;
  }
  return found;
}
