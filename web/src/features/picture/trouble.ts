// Where a run broke: the node to look at first, and what it says. Pure.
import type { Picture } from "~/api/console.gen";
import type { Moment, SeenNode } from "./moment";
import { stateOf } from "./words";

/** A place in the user's own code. */
export interface Frame {
  file: string;
  line: number;
  name: string;
  code: string;
}

const LATER = ["image", "dataset", "job", "pipeline"] as const;

/** The node at which a run that has failed by an instant broke; of replicas the one that the job blames, or the first. */
export function troubleOf(picture: Picture, moment: Moment): SeenNode | undefined {
  const seen = [...moment.nodes.values()];
  const main = seen.find(({ node }) => node.resource === picture.run);
  if (main?.state !== "FAILED") return undefined;
  const blame = seen.find(({ node }) => node.kind === "job")?.reason ?? "";
  const replicas = lastTry(seen)
    .filter((one) => stateOf(one) === "FAILED" || one.state === "LOST")
    .sort((a, b) => a.node.until - b.node.until);
  const blamed = replicas.find(({ node }) => blame.includes(`${node.title} `));
  const others = LATER.map((kind) => seen.find(({ node, state }) => node.kind === kind && state === "FAILED"));
  return blamed ?? replicas[0] ?? others.find((one) => one !== undefined);
}

function lastTry(seen: readonly SeenNode[]): SeenNode[] {
  const last = seen.findLast(({ node }) => node.kind === "attempt")?.node.id;
  return seen.filter(({ node }) => node.kind === "replica" && node.id.startsWith(`${last}/`));
}

export function frameOf({ facts }: SeenNode): Frame | undefined {
  return facts.frame as Frame | undefined;
}
