// Amounts in words.
import type { Amount, EdgeKind } from "~/api/console.gen";
import type { Say } from "~/i18n";
import { methodOf } from "~/lib/names";
import { formatBytes, formatCount } from "~/lib/units";
import type { pictureTexts } from "./texts";

export type Words = Say<(typeof pictureTexts.keys)[number]>;

/** What matters of an amount for an edge, in a few words; empty when nothing was measured. */
export function tellAmount(say: Words, kind: EdgeKind, label: string, amount: Amount): string {
  const told: string[] = [];
  if (amount.rows) told.push(say("rows", { count: amount.rows, amount: formatCount(amount.rows) }));
  if (amount.lines) told.push(say("lines", { count: amount.lines, amount: formatCount(amount.lines) }));
  const below = kind === "reads" && label === "gcs";
  if (amount.bytes && kind !== "exports") told.push(below ? atMost(amount.bytes) : formatBytes(amount.bytes));
  if (below) told.push(tellOpened(say, amount.count));
  const counts = kind === "asks" || kind === "calls" || told.length === 0;
  if (amount.count > 1 && counts) told.push(say("times", { count: amount.count, amount: formatCount(amount.count) }));
  return told.join(" · ");
}

/** Of files below /gcs only their sizes are known, not how much was read. */
function atMost(bytes: number): string {
  return `≤ ${formatBytes(bytes)}`;
}

/** How often a file below /gcs was opened. */
export function tellOpened(say: Words, count: number): string {
  return say("opened", { count, amount: formatCount(count) });
}

/** What the source of an edge is to its target. */
export function tellVerb(say: Words, kind: EdgeKind, label: string): string {
  return kind === "reads" && label === "gcs" ? say("edge.opens") : say(`edge.${kind}`);
}

/** The word that came with an edge, as people say it. */
export function tellLabel(say: Words, kind: EdgeKind, label: string): string {
  if (kind === "asks" && (label === "tokens" || label === "other")) return say(`asks.${label}`);
  if (kind === "logs" && label === "service") return say("logs.service");
  if (label === "gcs" || label === "found") return say(`files.${label}`);
  return kind === "calls" ? methodOf(label) : label;
}

/** What stands on an edge in the drawing: no more than its ends leave room for. */
export function tellShort(say: Words, kind: EdgeKind, label: string, amount: Amount): string {
  if (kind === "logs") return tellAmount(say, kind, label, { ...amount, bytes: 0 });
  if (kind === "reads" && label === "gcs") return atMost(amount.bytes);
  if (kind === "orders" || (kind === "asks" && label !== "tokens")) return "";
  return [kind === "asks" && tellLabel(say, kind, label), tellAmount(say, kind, label, amount)]
    .filter(Boolean)
    .join(" · ");
}
