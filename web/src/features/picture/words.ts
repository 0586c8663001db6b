// What a node says of itself at a glance, in one short line.

import type { Node } from "~/api/console.gen";
import { endState, outcomeNow, stateNow } from "~/design/State";
import { saidNow } from "~/i18n/said";
import { methodOf } from "~/lib/names";
import { formatCount } from "~/lib/units";
import type { Words } from "./amounts";
import type { SeenNode } from "./moment";
import { pictureTexts } from "./texts";

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number => (typeof value === "number" ? value : 0);

/** What a node is called; those that are the platform's own by what people call them. */
export function titleOf(say: Words, { kind, title }: Node): string {
  if (kind === "attempt") return say("attempt", { n: title });
  if (kind === "queue" || kind === "logs") return say(`title.${kind}`);
  return title;
}

/** The state that a node is shown in: of a replica that has ended, how. */
export function stateOf({ state, facts }: SeenNode): string {
  return endState(state, text(facts.outcome));
}

/** Why something is in its state, and whether a program printed that. */
type Why = Pick<SeenNode, "reason" | "printed">;

/** Why something is in its state, in one line: the rest of what a program printed is shown elsewhere. */
export function whyOf({ reason, printed }: Why): string {
  const line = reason.trim().split("\n", 1)[0] ?? "";
  return printed ? line : stateNow(line);
}

/** The same as text in the page's language; what a program printed stays as it is. */
export function whyNow(why: Why): string {
  return why.printed ? whyOf(why) : saidNow(whyOf(why));
}

/** The second line of a node's card; empty when there is nothing worth a line. */
export function subtitle(say: Words, { node, facts }: SeenNode): string {
  switch (node.kind) {
    case "caller":
      return methodOf(text(facts.method)) || text(facts.library) || text(facts.agent);
    case "replica":
    case "pool":
      return [text(facts.machine), text(facts.python) && `Python ${text(facts.python)}`].filter(Boolean).join(" · ");
    case "image":
      return [text(facts.python) && `Python ${text(facts.python)}`, saidNow(text(facts.substituted))]
        .filter(Boolean)
        .join(" · ");
    case "splits":
      return number(facts.rows)
        ? say("rows", { count: number(facts.rows), amount: formatCount(number(facts.rows)) })
        : "";
    case "files":
      return number(facts.count) ? formatCount(number(facts.count)) : "";
    case "queue":
      return saidNow(text(facts.reason));
    case "attempt":
      return number(facts.replicas) ? say("replicas", { count: number(facts.replicas) }) : "";
    default:
      return text(facts.subtitle);
  }
}

const KNOWN = new Set<string>(pictureTexts.keys);

/** A fact's value as people say it; a name, a number or an object stays what it is. */
export function tellFact(say: Words, key: string, value: unknown): unknown {
  if (key === "outcome") return outcomeNow(text(value));
  const known = `value.${String(value)}`;
  if (VALUED.has(key) && KNOWN.has(known)) return say(known as "value.true");
  return key === "overcommit" || key === "substituted" ? saidNow(text(value)) : value;
}

/** Facts whose values are words of ours. */
const VALUED = new Set(["runtime", "install", "primary", "role"]);
