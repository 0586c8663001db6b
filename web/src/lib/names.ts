// Resource names and gs:// URIs: the only place of the page that takes them apart.

export interface ResourceName {
  project: string;
  location: string;
  /** `customJobs`, `models`, ... the collection of the last part */
  collection: string;
  id: string;
  /** all collections and ids after the location: metadataStores/default/artifacts/ID has two */
  path: readonly (readonly [collection: string, id: string])[];
}

const NAME = /^projects\/([^/]+)\/locations\/([^/]+)\/((?:[^/]+\/[^/]+\/?)+)$/;

/** Take a full resource name apart; undefined when it is none. A version behind an @ is left on the id. */
export function parseName(text: string): ResourceName | undefined {
  const found = NAME.exec(text.replace(/^\/+|\/+$/g, ""));
  if (!found) return undefined;
  const [, project = "", location = "", rest = ""] = found;
  const parts = rest.split("/");
  if (parts.length % 2) return undefined;
  const path = Array.from(
    { length: parts.length / 2 },
    (_, i) => [parts[2 * i] ?? "", parts[2 * i + 1] ?? ""] as const,
  );
  const [collection, id] = path.at(-1) ?? ["", ""];
  return { project, location, collection, id, path };
}

/** The last part of a name or URI. */
export function idOf(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

export interface GsUri {
  bucket: string;
  object: string;
}

export function parseGs(uri: string): GsUri | undefined {
  const found = /^gs:\/\/([^/]+)(?:\/(.*))?$/s.exec(uri);
  return found ? { bucket: found[1] ?? "", object: found[2] ?? "" } : undefined;
}

/** The address of a page, below /console, of a resource or a place in a bucket; undefined when there is none. */
export function pageOf(resource: string): string | undefined {
  const gs = parseGs(resource);
  if (gs) return `/data/${gs.bucket}/${gs.object}`;
  const [name = "", version] = resource.split("@");
  const parsed = parseName(name);
  if (!parsed) return undefined;
  const base = `/projects/${parsed.project}/locations/${parsed.location}`;
  const [top] = parsed.path;
  if (!top) return undefined;
  if (top[0] === "metadataStores") return `/projects/${parsed.project}/lineage?focus=${encodeURIComponent(name)}`;
  if (!["customJobs", "trainingPipelines", "datasets", "models"].includes(top[0])) return undefined;
  return `${base}/${top[0]}/${top[1]}${version && top[0] === "models" ? `?version=${version}` : ""}`;
}

/** A method of the SDK by its last words: the class that was made, or the class and what was called of it. */
export function methodOf(method: string): string {
  const words = method.split(".").filter((word) => word !== "__init__");
  return words.slice(/^[A-Z]/.test(words.at(-1) ?? "") ? -1 : -2).join(".");
}
