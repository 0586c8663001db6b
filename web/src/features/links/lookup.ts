// Finds what an id or a name belongs to, by asking the server.
import { ask, vertex } from "~/api/client";
import type { RunDetails, RunPage } from "~/api/console.gen";
import { named } from "~/api/filters";
import type { ListDatasetsResponse, ListModelsResponse } from "~/api/vertex.gen";
import { pageOf } from "~/lib/names";
import { resolve, type Target } from "./resolve";

export interface Hit {
  title: string;
  kind: "run" | "dataset" | "model";
  state?: string;
  to: string;
}

/** The page of a target; undefined when nothing is there. */
export async function pageFor(target: Target): Promise<string | undefined> {
  if (target.kind === "page") return target.to;
  if (target.kind === "unbuilt") return undefined;
  const { project, location, id, tab } = target;
  const places = location === "-" ? await ask<RunPage>("/runs", { query: { project, q: id, size: 1 } }) : undefined;
  const found = places?.runs[0]?.name;
  if (found) return `/${found}${tab ? `?tab=${tab}` : ""}`;
  for (const collection of ["trainingPipelines", "customJobs"]) {
    const where = location === "-" ? "us-central1" : location;
    const run = `projects/${project}/locations/${where}/${collection}/${id}`;
    const details = await ask<RunDetails>("/run", { query: { run } }).catch(() => undefined);
    if (details) return `/${details.run.name}${tab ? `?tab=${tab}` : ""}`;
  }
  return undefined;
}

/** Where a pasted address leads, if it is one and something is there. */
export async function follow(text: string, project: string): Promise<string | undefined> {
  const target = resolve(text, project);
  return target && pageFor(target);
}

const NAMED = /^projects\/[^/]+\/locations\/[^/]+\/(?:trainingPipelines|customJobs|datasets|models|metadataStores)\//;

/** What people call the thing that a page is about; the last words of its address where it has no name. */
export async function titleOf(page: string): Promise<string> {
  const [path = "", query = ""] = page.split("?");
  const asked = new URLSearchParams(query);
  const name = asked.get("focus") ?? path.replace(/^\/+/, "");
  const version = asked.get("version");
  const last = decodeURIComponent(path.replace(/\/$/, "").split("/").at(-1) ?? page);
  if (!NAMED.test(name)) return last;
  const found = await vertex<{ displayName?: string }>(name).catch(() => undefined);
  return found?.displayName ? `${found.displayName}${version ? `@${version}` : ""}` : last;
}

const EACH = 5;

/** Things of a project whose name holds a text. */
export async function search(text: string, project: string, signal: AbortSignal): Promise<Hit[]> {
  const parent = `projects/${project}/locations/-`;
  const query = { filter: named(text), pageSize: EACH };
  const [runs, datasets, models] = await Promise.all([
    ask<RunPage>("/runs", { query: { project, q: text, size: EACH }, signal }),
    vertex<ListDatasetsResponse>(`${parent}/datasets`, { query, signal }),
    vertex<ListModelsResponse>(`${parent}/models`, { query, signal }),
  ]);
  return [
    ...runs.runs.map((run): Hit => ({ title: run.title, kind: "run", state: run.state, to: `/${run.name}` })),
    ...hits("dataset", datasets.datasets),
    ...hits("model", models.models),
  ];
}

function hits(kind: Hit["kind"], found: { name?: string; displayName?: string }[] | undefined): Hit[] {
  return (found ?? []).map((one) => ({ title: one.displayName ?? "", kind, to: pageOf(one.name ?? "") ?? "/" }));
}
