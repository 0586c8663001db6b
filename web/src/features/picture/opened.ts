// What is known of an opened node at an instant: the last that became known by then, and amounts as they were. Pure.
import type { Known, NodeDetails, Thing } from "~/api/console.gen";
import { lastBy } from "./moment";

/** What became known, the newest of each name; what was not known yet is absent. */
export type Knowledge = { [Name in Exclude<keyof Known, "time">]?: NonNullable<Known[Name]> };

export interface Opened {
  known: Knowledge;
  /** since when the API has shown the resource like that */
  resourceSince: number;
  objects: readonly Thing[];
  usage: Readonly<Record<string, unknown>> | undefined;
}

export function openedAt(details: NodeDetails, at: number): Opened {
  const there = details.known.filter((one) => one.time <= at);
  return {
    known: Object.assign({}, ...there.map(said)),
    resourceSince: there.findLast((one) => one.resource)?.time ?? 0,
    objects: details.objects.filter((one) => one.time <= at).map((one) => thingAt(one, at)),
    usage: lastBy(details.usage as (Record<string, unknown> & { time: number })[], at),
  };
}

function said({ time: _, ...members }: Known): Knowledge {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
}

function thingAt(thing: Thing, at: number): Thing {
  const [read, written, opened] = [thing.reads, thing.writes, thing.openings].map((amounts) => lastBy(amounts, at));
  const copied = lastBy(thing.copies, at)?.bytes ?? 0;
  const opens = [read, written, opened].reduce((sum, amount) => sum + (amount?.count ?? 0), 0);
  return { ...thing, read: read?.bytes ?? 0, written: written?.bytes ?? 0, copied, opens };
}
