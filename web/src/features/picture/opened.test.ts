import { describe, expect, it } from "vitest";
import type { Amount, Known, Node, NodeDetails, Picture, Thing } from "~/api/console.gen";
import { momentOf } from "./moment";
import { openedAt } from "./opened";
import { frameOf, troubleOf } from "./trouble";
import { whyOf } from "./words";

const NOTHING: Known = {
  time: 0,
  resource: null,
  variables: null,
  command: null,
  cluster: null,
  lost: null,
  evidence: null,
  packages: null,
  columns: null,
  members: null,
};
const known = (time: number, more: Partial<Known>): Known => ({ ...NOTHING, time, ...more });
const amount = (time: number, bytes: number): Amount => ({ time, bytes, rows: 0, lines: 0, count: 1 });
const node = (id: string, kind: Node["kind"], more: Partial<Node> = {}): Node => ({
  id,
  kind,
  region: "tenant",
  title: id,
  since: 10,
  until: 0,
  parent: "",
  resource: "",
  states: [],
  facts: {},
  ...more,
});
const state = (time: number, name: string, reason = "", facts = {}) => ({
  time,
  state: name,
  reason,
  printed: false,
  facts,
});
const thing: Thing = {
  uri: "gs://b/o",
  generation: "1",
  time: 30,
  last: 50,
  size: 9,
  read: 9,
  written: 4,
  opens: 3,
  replicas: [],
  reads: [amount(35, 5), amount(50, 9)],
  writes: [amount(40, 4)],
  openings: [],
  copied: 6,
  copies: [amount(45, 6)],
};
const DETAILS: NodeDetails = {
  node: node("r", "replica"),
  known: [
    known(10, { command: ["asked"], resource: { state: "PENDING" } }),
    known(20, { lost: ["limit"] }),
    known(30, { command: ["started"], variables: [] }),
    known(60, { evidence: "boom", resource: { state: "FAILED" } }),
  ],
  objects: [thing],
  usage: [
    { time: 40, memoryBytes: 1 },
    { time: 50, memoryBytes: 2 },
  ],
};

describe("an opened node", () => {
  it("tells the last that was known of each thing by the instant", () => {
    expect(openedAt(DETAILS, 9)).toEqual({ known: {}, resourceSince: 0, objects: [], usage: undefined });
    expect(openedAt(DETAILS, 29).known).toEqual({
      command: ["asked"],
      resource: { state: "PENDING" },
      lost: ["limit"],
    });
    const late = openedAt(DETAILS, 60);
    expect(late.known.command).toEqual(["started"]);
    expect(late.known.lost).toEqual(["limit"]);
    expect(late.known.evidence).toBe("boom");
    expect(late.resourceSince).toBe(60);
  });

  it("counts what had passed and was used by then", () => {
    const amounts = (at: number) => openedAt(DETAILS, at).objects.map((one) => [one.read, one.written, one.copied]);
    expect(amounts(29)).toEqual([]);
    expect(amounts(30)).toEqual([[0, 0, 0]]);
    expect(amounts(40)).toEqual([[5, 4, 0]]);
    expect(amounts(99)).toEqual([[9, 4, 6]]);
    expect(openedAt(DETAILS, 49).usage).toEqual({ time: 40, memoryBytes: 1 });
  });
});

const FRAME = { file: "task.py", line: 6, name: "load", code: "open(path)" };
const failed = (id: string, until: number, reason: string, frame?: object) =>
  node(id, "replica", {
    until,
    states: [state(until, "ENDED", reason, { outcome: "FAILED", ...(frame && { frame }) })],
  });
const PICTURE: Picture = {
  run: "run",
  title: "run",
  project: "p",
  tenant: "t",
  state: "FAILED",
  since: 10,
  until: 90,
  nodes: [
    node("job", "job", {
      region: "user",
      resource: "run",
      until: 90,
      states: [state(10, "RUNNING"), state(90, "FAILED", "The replica two exited with a status of 1.\nTraceback")],
    }),
    node("attempt/1", "attempt"),
    { ...failed("attempt/1/replica/two", 30, "KeyError: 1"), title: "two" },
    node("attempt/2", "attempt", { since: 40 }),
    { ...failed("attempt/2/replica/one", 70, "peer is gone"), title: "one" },
    { ...failed("attempt/2/replica/two", 80, "OSError: x\nmore", FRAME), title: "two" },
    node("files", "files", {
      facts: { count: 5, objects: [{ time: 20 }, { time: 30 }, { time: 50 }] },
    }),
  ],
  edges: [],
  moments: [],
};

describe("where a run broke", () => {
  it("is the replica that the job blames, in the last attempt, once the run has failed", () => {
    expect(troubleOf(PICTURE, momentOf(PICTURE, 89))).toBeUndefined();
    const found = troubleOf(PICTURE, momentOf(PICTURE, 90));
    expect(found?.node.id).toBe("attempt/2/replica/two");
    expect(found && [whyOf(found), frameOf(found)]).toEqual(["OSError: x", FRAME]);
  });

  it("is what failed before any replica ran, where none did", () => {
    const image = node("image", "image", { states: [state(60, "FAILED", "no such image")] });
    const early = { ...PICTURE, nodes: [...PICTURE.nodes.slice(0, 1), image] };
    expect(troubleOf(early, momentOf(early, 90))?.node.id).toBe("image");
    const bare = { ...PICTURE, nodes: PICTURE.nodes.slice(0, 1) };
    expect(troubleOf(bare, momentOf(bare, 90))?.node.id).toBe("job");
  });
});

describe("files of a folder", () => {
  it("are counted as far as they were there, and not at all where that is not known", () => {
    const count = (at: number) => momentOf(PICTURE, at).nodes.get("files")?.facts.count;
    expect([15, 20, 30, 50].map(count)).toEqual([undefined, 3, 4, 5]);
  });
});
