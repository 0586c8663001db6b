// What is known of the lineage graph so far, and how it grows. Pure.
import type { Artifact, Execution, LineageSubgraph } from "~/api/vertex.gen";

export interface Thing {
  id: string;
  kind: "artifact" | "execution";
  title: string;
  /** what it is: dataset, model, job, replica, object, package, split, other */
  role: Role;
  /** of a model; empty for others */
  version: string;
  uri: string;
  schema: string;
  state: string;
  created: string;
  metadata: Record<string, unknown>;
}

export type Role = "dataset" | "model" | "job" | "replica" | "object" | "package" | "split" | "other";

export interface Arrow {
  id: string;
  from: string;
  to: string;
  kind: "reads" | "makes";
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
  for (const event of found.events ?? []) {
    const { artifact = "", execution = "", type } = event;
    const made = type === "OUTPUT";
    const arrow: Arrow = made
      ? { id: `${execution}>${artifact}`, from: execution, to: artifact, kind: "makes" }
      : { id: `${artifact}>${execution}`, from: artifact, to: execution, kind: "reads" };
    if (things.has(artifact) && things.has(execution)) arrows.set(arrow.id, arrow);
  }
  return { things, arrows, explored: new Set([...graph.explored, ...around]) };
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

function roleOf(one: Artifact | Execution, kind: Thing["kind"]): Role {
  const schema = one.schemaTitle ?? "";
  if (kind === "execution") return schema === "system.ContainerExecution" ? "replica" : "job";
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
