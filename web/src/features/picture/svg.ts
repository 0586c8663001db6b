// The picture as an SVG file: the same boxes and curves, with the theme's colours written in. Pure.
import type { NodeKind, Picture } from "~/api/console.gen";
import { stateNow, toneOf } from "~/design/State";
import type { Words } from "./amounts";
import { type Arrangement, type Box, isSlim } from "./arrange";
import type { Drawn } from "./bundle";
import { groupOf } from "./edges";
import { LABEL_SIZE } from "./labels";
import { boldly, cut, widthOf } from "./measure";
import type { Moment, SeenNode } from "./moment";
import { type Way, waysOf } from "./ways";
import { stateOf, subtitle, titleOf } from "./words";

type Colour = (token: string) => string;

const EDGE_TOKENS = {
  call: "--text-muted",
  data: "--user",
  code: "--plot-5",
  result: "--done",
  identity: "--tenant",
} as const;
const PAD = 16;

export function svgOf(
  picture: Picture,
  arrangement: Arrangement,
  moment: Moment,
  edges: readonly Drawn[],
  say: Words,
  colour: Colour,
): string {
  const { boxes, regions, width, height } = arrangement;
  const parts = (["user", "tenant"] as const).map((region) =>
    regionSvg(
      regions[region],
      region,
      `${say(`region.${region}`)}  ${region === "user" ? picture.project : picture.tenant}`,
      colour,
    ),
  );
  const ways = waysOf(say, edges, arrangement);
  const order = (kind: NodeKind) => (kind === "attempt" ? 0 : kind === "pool" ? 1 : 2);
  const nodes = [...moment.nodes.values()].sort((a, b) => order(a.node.kind) - order(b.node.kind));
  const groups = nodes.filter(({ node }) => order(node.kind) < 2);
  const cards = nodes.filter(({ node }) => order(node.kind) === 2);
  parts.push(...groups.map((seen) => nodeSvg(seen, boxes.get(seen.node.id), say, colour)));
  parts.push(...ways.map((way) => edgeSvg(way, colour)));
  parts.push(...cards.map((seen) => nodeSvg(seen, boxes.get(seen.node.id), say, colour)));
  parts.push(...ways.filter(({ told }) => told).map((way) => labelSvg(way, colour)));
  const size = `width="${width + 2 * PAD}" height="${height + 2 * PAD}" viewBox="${-PAD} ${-PAD} ${width + 2 * PAD} ${height + 2 * PAD}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="system-ui, sans-serif">`,
    `<title>${escaped(picture.title)}</title>`,
    `<defs>${(Object.keys(EDGE_TOKENS) as (keyof typeof EDGE_TOKENS)[]).map((group) => markerSvg(group, colour)).join("")}</defs>`,
    `<rect x="${-PAD}" y="${-PAD}" width="100%" height="100%" fill="${colour("--ground")}"/>`,
    ...parts,
    "</svg>",
  ].join("\n");
}

function regionSvg(box: Box, region: "user" | "tenant", title: string, colour: Colour): string {
  return (
    rect(box, colour(`--${region}-soft`), colour(`--${region}-line`), 14) +
    text(box.x + 18, box.y + 24, cut(title, box.width - 36, boldly(14)), colour(`--${region}`), 14, 650)
  );
}

const INSET = 12;

function nodeSvg(seen: SeenNode, box: Box | undefined, say: Words, colour: Colour): string {
  if (!box) return "";
  const { node, facts } = seen;
  const state = stateOf(seen);
  const tone = state ? colour(`--${toneOf(state)}`) : "";
  const line = colour(`--${node.region}-line`);
  const room = box.width - 2 * INSET;
  const write = (y: number, words: string, fill: string, size: number, weight: number) =>
    text(box.x + INSET, box.y + y, cut(words, room, weight < 600 ? size : boldly(size)), fill, size, weight);
  if (node.kind === "attempt" || node.kind === "pool") {
    const words = [titleOf(say, node), subtitle(say, seen), state && stateNow(state)].filter(Boolean).join("  ");
    return rect(box, colour("--surface"), line, 10, 0.6) + write(22, words, colour("--text"), 13, 600);
  }
  if (box.width < 40) {
    const index = String(facts.index ?? "");
    return rect(box, colour(`--${toneOf(state)}-soft`), tone, 5) + text(box.x + 7, box.y + 17, index, tone, 10, 600);
  }
  const card = rect(box, colour("--surface"), tone || line, 9);
  const title = titleOf(say, node);
  const more = subtitle(say, seen);
  if (isSlim(node.kind)) return card + write(24, [title, more].filter(Boolean).join("  "), colour("--text"), 13, 600);
  const kind = [say(`kind.${node.kind}`), state && stateNow(state)].filter(Boolean).join("  ·  ");
  return [
    card,
    write(21, kind, tone || colour("--text-muted"), 12, 600),
    write(41, title, colour("--text"), 14, 600),
    write(59, more, colour("--text-muted"), 12, 400),
  ].join("");
}

function edgeSvg({ edge, path }: Way, colour: Colour): string {
  const group = groupOf(edge.kind);
  return `<path d="${path}" fill="none" stroke="${colour(EDGE_TOKENS[group])}" stroke-width="1.6"${edge.label === "found" ? ' stroke-dasharray="2 5"' : ""} marker-end="url(#${group})"/>`;
}

function labelSvg({ told, place: { x, y } }: Way, colour: Colour): string {
  const width = widthOf(told, LABEL_SIZE) + 12;
  return (
    rect({ x: x - width / 2, y: y - 9, width, height: 18 }, colour("--surface"), colour("--line"), 9) +
    `<text x="${x}" y="${y + 4}" text-anchor="middle" font-size="${LABEL_SIZE}" fill="${colour("--text")}">${escaped(told)}</text>`
  );
}

function markerSvg(group: keyof typeof EDGE_TOKENS, colour: Colour): string {
  return `<marker id="${group}" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="11" markerHeight="11" orient="auto"><path d="M0,0 8,4 0,8Z" fill="${colour(EDGE_TOKENS[group])}"/></marker>`;
}

function rect({ x, y, width, height }: Box, fill: string, stroke: string, radius: number, opacity = 1): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}" fill="${fill}" fill-opacity="${opacity}" stroke="${stroke}"/>`;
}

function text(x: number, y: number, words: string, fill: string, size: number, weight: number): string {
  return words
    ? `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escaped(words)}</text>`
    : "";
}

/** Text as XML takes it: markup is shown, characters that XML forbids are left out. */
export function escaped(words: string): string {
  return (
    words
      .replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign] ?? "")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: just these must go
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
  );
}
