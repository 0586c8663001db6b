// What a pasted text stands for: a link that Google's SDK or console shows, a resource name, a gs:// URI. Pure.
import { pageOf, parseName } from "~/lib/names";

export type Target =
  /** a page of ours, below /console */
  | { kind: "page"; to: string }
  /** an id that may be a pipeline's or a job's: the server has to be asked */
  | { kind: "training"; project: string; location: string; id: string; tab?: string }
  /** understood, and there is no such page here */
  | { kind: "unbuilt"; what: string };

const GOOGLE = /^(https?:\/\/)?(console\.cloud\.google\.com|localhost|127\.0\.0\.1|\[::1\])(:\d+)?(?=\/)/i;
const API = /^(https?:\/\/)?[a-z0-9-]*aiplatform\.googleapis\.com\/(?:ui|v1|v1beta1)\//i;

/** What a text leads to; undefined when it is no address at all (but maybe a name to search for). */
export function resolve(text: string, project: string): Target | undefined {
  const given = text.trim().replace(/^["'<(]+|["'>).,]+$/g, "");
  if (given.startsWith("gs://")) return page(pageOf(given));
  if (/^https?:\/\/storage\.(?:cloud\.google|googleapis)\.com\//i.test(given)) {
    return page(pageOf(`gs://${decode(given.replace(/^https?:\/\/[^/]+\//i, "").split("?")[0] ?? "")}`));
  }
  const name = given.replace(API, "").split(/[?:#]/)[0] ?? "";
  if (parseName(name.split("@")[0] ?? "")) return resource(name);
  const path = given.replace(GOOGLE, "");
  if (!path.startsWith("/")) return undefined;
  const [route = "", query = ""] = path.split("?");
  return console_(decode(route), new URLSearchParams(query), project);
}

function resource(name: string): Target | undefined {
  const to = pageOf(name);
  const collection = parseName(name.split("@")[0] ?? "")?.path[0]?.[0];
  return to ? { kind: "page", to } : { kind: "unbuilt", what: collection ?? name };
}

const ROUTES: readonly [RegExp, (found: Record<string, string>, project: string) => Target | undefined][] = [
  [/^\/console(?<to>\/.*)$/, ({ to }) => page(to)],
  [
    /^\/(?:agent-platform|ai\/platform|vertex-ai)\/(?:training\/)?locations\/(?<location>[^/]+)\/(?:training|custom-jobs|training-pipelines)\/(?<id>\d+)/,
    ({ location = "", id = "" }, project) => ({ kind: "training", project, location, id }),
  ],
  [
    /^\/(?:agent-platform|ai\/platform|vertex-ai)\/(?:training|locations\/[^/]+\/training)\b/,
    (_, project) => page(`/projects/${project}/training`),
  ],
  [
    /^\/(?:agent-platform|ai\/platform|vertex-ai)\/locations\/(?<location>[^/]+)\/(?<kind>datasets|models)\/(?<id>[^/]+)(?:\/versions\/(?<version>\d+))?/,
    ({ location, kind, id, version }, project) =>
      page(pageOf(`projects/${project}/locations/${location}/${kind}/${id}${version ? `@${version}` : ""}`)),
  ],
  [
    /^\/(?:agent-platform|ai\/platform|vertex-ai)\/(?<kind>datasets|models)\/locations\/(?<location>[^/]+)\/\k<kind>\/(?<id>[^/]+)(?:\/versions\/(?<version>\d+))?/,
    ({ location, kind, id, version }, project) =>
      page(pageOf(`projects/${project}/locations/${location}/${kind}/${id}${version ? `@${version}` : ""}`)),
  ],
  [
    /^\/(?:agent-platform|ai\/platform|vertex-ai)\/(?<kind>datasets|models)\b/,
    ({ kind }, project) => page(`/projects/${project}/${kind}`),
  ],
  [
    /^\/vertex-ai\/locations\/(?<location>[^/]+)\/metadata-stores\/(?<store>[^/]+)\/(?<kind>artifacts|executions|contexts)\/(?<id>[^/]+)/,
    ({ location, store, kind, id }, project) => {
      const full = id?.startsWith("projects/")
        ? id
        : `projects/${project}/locations/${location}/metadataStores/${store}/${kind}/${id}`;
      return page(pageOf(full));
    },
  ],
  [/^\/vertex-ai\/metadata\b/, (_, project) => page(`/projects/${project}/lineage`)],
  [
    /^\/storage\/browser\/(?:_details\/)?(?<bucket>[a-z0-9._-]+)(?:\/(?<object>[^;]*))?/,
    ({ bucket = "", object = "" }) => page(pageOf(`gs://${bucket}/${object}`)),
  ],
  [/^\/storage\/browser\b/, (_, project) => page(`/projects/${project}/data`)],
  [
    /^\/(?:agent-platform|ai\/platform|vertex-ai)\/(?:locations\/[^/]+\/)?(?<what>[a-z-]+)/,
    ({ what = "" }) => ({ kind: "unbuilt", what }),
  ],
];

function console_(route: string, query: URLSearchParams, fallback: string): Target | undefined {
  const project = query.get("project") || fallback;
  if (route.startsWith("/logs/")) {
    const id = /job_id[/"=]+(\d+)/.exec(`${query.get("resource") ?? ""} ${query.get("advancedFilter") ?? ""}`)?.[1];
    return id ? { kind: "training", project, location: "-", id, tab: "logs" } : { kind: "unbuilt", what: "logs" };
  }
  for (const [pattern, make] of ROUTES) {
    const found = pattern.exec(route);
    if (found) return make(found.groups ?? {}, project);
  }
  return undefined;
}

function page(to: string | undefined): Target | undefined {
  return to ? { kind: "page", to } : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
