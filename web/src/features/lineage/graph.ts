// What is known of the lineage graph so far, and how it grows. Pure.
import type { Artifact, Execution, LineageSubgraph } from "~/api/vertex.gen";

export interface Thing {
  id: string;
  kind: "artifact" | "execution";
  title: string;
  /** what it is: dataset, model, pipeline, job, replica, object, folder, package, split, other */
  role: Role;
  /** of a model; empty for others */
  version: string;
  uri: string;
  schema: string;
  state: string;
  created: string;
  metadata: Record<string, unknown>;
  /** of a folder */
  inside?: readonly Thing[];
}

export type Role =
  | "dataset"
  | "model"
  | "pipeline"
  | "job"
  | "replica"
  | "object"
  | "folder"
  | "package"
  | "split"
  | "other";

export interface Arrow {
  id: string;
  from: string;
  to: string;
  kind: "reads" | "makes" | "runs";
}

export interface Graph {
  things: ReadonlyMap<string, Thing>;
  arrows: ReadonlyMap<string, Arrow>;
  /** whose neighbours are all here */
  explored: ReadonlySet<string>;
}

export const EMPTY: Graph = { things: new Map(), arrows: new Map(), explored: new Set() };

/** The graph with what an answer brings; `around` are the nodes whose neighbours it was asked for. */
export function grown(graph: Graph, found: LineageSubgraph, around: readonly string[]): Graph {
  const things = new Map(graph.things);
  for (const one of found.artifacts ?? []) things.set(one.name ?? "", thing(one, "artifact"));
  for (const one of found.executions ?? []) things.set(one.name ?? "", thing(one, "execution"));
  const arrows = new Map(graph.arrows);
  join(arrows, things, found.events);
  return { things, arrows, explored: new Set([...graph.explored, ...around]) };
}

/** The graph with what answers say of things that are in it: whoever shows two of them shows what is between them. */
export function joined(graph: Graph, answers: Iterable<LineageSubgraph>): Graph {
  const arrows = new Map(graph.arrows);
  for (const { events } of answers) join(arrows, graph.things, events);
  return arrows.size === graph.arrows.size ? graph : { ...graph, arrows };
}

function join(arrows: Map<string, Arrow>, things: Graph["things"], events: LineageSubgraph["events"]): void {
  for (const { artifact = "", execution = "", type } of events ?? []) {
    const made = type === "OUTPUT";
    const arrow: Arrow = made
      ? { id: `${execution}>${artifact}`, from: execution, to: artifact, kind: "makes" }
      : { id: `${artifact}>${execution}`, from: artifact, to: execution, kind: "reads" };
    if (things.has(artifact) && things.has(execution)) arrows.set(arrow.id, arrow);
  }
}

/** What of an answer is not in the graph yet. */
export function newIn(graph: Graph, found: LineageSubgraph): number {
  return [...(found.artifacts ?? []), ...(found.executions ?? [])].filter(({ name }) => !graph.things.has(name ?? ""))
    .length;
}

/** A graph as it is shown, in which one thing is one node. */
export interface Shown {
  things: readonly Thing[];
  arrows: readonly Arrow[];
  /** names of everything that a node stands for, its own first */
  members: ReadonlyMap<string, readonly string[]>;
  /** the node that stands for a name */
  nodeOf: (id: string) => string;
}

/** The graph as it is shown: a package is recorded as a package and, where a replica read it, as an object; and which
 * job a replica belongs to is no event of the API's, but a fact of the replica's. */
export function shown(graph: Graph): Shown {
  const packages = new Map<string, string>();
  for (const { role, uri, id } of graph.things.values()) if (role === "package" && uri) packages.set(uri, id);
  const nodeOf = (id: string) => {
    const thing = graph.things.get(id);
    return (thing?.role === "object" && packages.get(thing.uri)) || id;
  };
  const members = new Map<string, string[]>();
  for (const id of graph.things.keys()) {
    const node = nodeOf(id);
    members.set(node, node === id ? [id, ...(members.get(node) ?? [])] : [...(members.get(node) ?? []), id]);
  }
  const arrows = new Map<string, Arrow>();
  for (const { from, to, kind } of graph.arrows.values()) {
    const [start, end] = [nodeOf(from), nodeOf(to)];
    const id = `${start}>${end}`;
    arrows.set(id, { id, from: start, to: end, kind });
  }
  for (const arrow of runs(graph)) arrows.set(arrow.id, arrow);
  const things = [...graph.things.values()].filter(({ id }) => nodeOf(id) === id);
  return { things, arrows: [...arrows.values()], members, nodeOf };
}

function runs({ things }: Graph): Arrow[] {
  const all = [...things.values()].filter(({ kind }) => kind === "execution");
  const jobs = new Map(all.filter(({ role }) => role !== "replica").map((one) => [one.metadata.customJob, one.id]));
  return all.flatMap(({ role, id, metadata: { customJob } }) => {
    const job = role === "replica" && customJob ? jobs.get(customJob) : undefined;
    return job ? [{ id: `${job}>${id}`, from: job, to: id, kind: "runs" as const }] : [];
  });
}

/** A node of the graph as it is shown. */
export function thing(one: Artifact | Execution, kind: Thing["kind"]): Thing {
  return {
    id: one.name ?? "",
    kind,
    title: one.displayName || (one.name ?? "").split("/").at(-1) || "",
    role: roleOf(one, kind),
    version: String(one.metadata?.resourceName ?? "").split("@")[1] ?? "",
    uri: "uri" in one ? (one.uri ?? "") : "",
    schema: one.schemaTitle ?? "",
    state: one.state ?? "",
    created: one.createTime ?? "",
    metadata: one.metadata ?? {},
  };
}

/** The name to begin with: of a training job the context that holds it with its replicas. */
export function startOf({ name = "", metadata }: Artifact | Execution): string {
  const [store = "", job] = name.split("/executions/");
  if (!job?.startsWith("job-")) return name;
  const pipeline = String(metadata?.trainingPipeline ?? "");
  return `${store}/contexts/${pipeline ? `training-${pipeline.slice(pipeline.lastIndexOf("/") + 1)}` : job}`;
}

/** The node that a name to begin with is about: of a context the job or pipeline that it holds. */
export function mainOf({ things }: Graph, start: string): string {
  if (!start.includes("/contexts/")) return start;
  const job = [...things.values()].find(({ role }) => role === "job" || role === "pipeline");
  return job?.id ?? start;
}

function roleOf(one: Artifact | Execution, kind: Thing["kind"]): Role {
  const schema = one.schemaTitle ?? "";
  if (kind === "execution")
    return schema === "system.ContainerExecution" ? "replica" : one.metadata?.trainingPipeline ? "pipeline" : "job";
  if (schema === "google.VertexDataset") return "dataset";
  if (schema === "google.VertexModel" || schema === "system.Model") return "model";
  const role = one.metadata?.role;
  return role === "package" || role === "split" || role === "object" ? role : "other";
}

/** The resource whose page a node stands for, or its URI when that is a place in a bucket. */
export function pageTarget(thing: Thing): string {
  const named = thing.metadata.resourceName ?? thing.metadata.customJob;
  return typeof named === "string" ? named : thing.uri.startsWith("gs://") && !thing.uri.includes("*") ? thing.uri : "";
}

/** Nodes that are joined to one, by what the line between them says of the node. */
export type Around = Record<"readBy" | "madeBy" | "read" | "made" | "partOf" | "ranAs", Thing[]>;

export function neighbours({ things, arrows }: Shown, of: string): Around {
  const known = new Map(things.map((one) => [one.id, one]));
  const ends = (kind: Arrow["kind"], here: "from" | "to", there: "from" | "to") =>
    arrows.filter((one) => one.kind === kind && one[here] === of).flatMap((one) => known.get(one[there]) ?? []);
  return {
    madeBy: ends("makes", "to", "from"),
    readBy: ends("reads", "from", "to"),
    read: ends("reads", "to", "from"),
    made: ends("makes", "from", "to"),
    partOf: ends("runs", "to", "from"),
    ranAs: ends("runs", "from", "to"),
  };
}
