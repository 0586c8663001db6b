import { describe, expect, it } from "vitest";
import type { Edge, Node, Picture } from "~/api/console.gen";
import { arrange } from "./arrange";
import { bundled, poolsOf } from "./bundle";
import { momentOf, patched } from "./moment";

const node = (id: string, kind: Node["kind"], region: Node["region"], more: Partial<Node> = {}): Node => ({
  id,
  kind,
  region,
  title: id,
  since: 10,
  until: 0,
  parent: "",
  resource: "",
  states: [],
  facts: {},
  ...more,
});
const edge = (id: string, kind: Edge["kind"], source: string, target: string, more: Partial<Edge> = {}): Edge => ({
  id,
  kind,
  source,
  target,
  since: 20,
  until: 0,
  amounts: [],
  label: "",
  facts: {},
  ...more,
});
const replicas = Array.from({ length: 12 }, (_, i) =>
  node(`r${i}`, "replica", "tenant", { parent: "pool", since: 30 }),
);
const PICTURE: Picture = {
  run: "run",
  title: "run",
  project: "p",
  tenant: "t",
  state: "JOB_STATE_RUNNING",
  since: 10,
  until: 0,
  nodes: [
    node("caller", "caller", "user"),
    node("job", "job", "user", {
      states: [
        { time: 10, state: "PENDING", reason: "", printed: false, facts: {} },
        { time: 40, state: "RUNNING", reason: "", printed: false, facts: { image: "i" } },
      ],
    }),
    node("splits", "splits", "user"),
    node("attempt", "attempt", "tenant"),
    node("pool", "pool", "tenant", { parent: "attempt" }),
    ...replicas,
  ],
  edges: [
    edge("calls", "calls", "caller", "job"),
    ...replicas.map(({ id }, i) =>
      edge(`reads-${id}`, "reads", "splits", id, {
        since: 35,
        amounts: [
          { time: 35, bytes: 1, rows: 0, lines: 0, count: 1 },
          { time: 50, bytes: 10 + i, rows: 0, lines: 0, count: 2 },
        ],
      }),
    ),
  ],
  moments: [],
};

describe("momentOf", () => {
  it("shows nothing before it was observed, and totals as they were", () => {
    expect(momentOf(PICTURE, 9).nodes.size).toBe(0);
    const early = momentOf(PICTURE, 36);
    expect(early.nodes.get("job")?.state).toBe("PENDING");
    expect(early.nodes.get("job")?.facts).toEqual({});
    expect(momentOf(PICTURE, 40).nodes.get("job")?.facts).toEqual({ image: "i" });
    expect(early.edges.find(({ edge: one }) => one.id === "reads-r3")?.amount?.bytes).toBe(1);
    expect(momentOf(PICTURE, 60).edges.find(({ edge: one }) => one.id === "reads-r3")?.amount?.bytes).toBe(13);
  });
  it("only ever grows with time", () => {
    let before = 0;
    for (let at = 0; at < 60; at += 1) {
      const { nodes, edges } = momentOf(PICTURE, at);
      expect(nodes.size + edges.length).toBeGreaterThanOrEqual(before);
      before = nodes.size + edges.length;
    }
  });
});

describe("patched", () => {
  it("replaces, adds and removes by id and keeps the order", () => {
    const next = patched(PICTURE, {
      state: "JOB_STATE_SUCCEEDED",
      until: 99,
      title: "run",
      tenant: "t",
      grown: [{ id: "reads-r0", until: 70, keep: 1, amounts: [{ time: 70, bytes: 99, rows: 0, lines: 0, count: 3 }] }],
      nodes: [node("job", "job", "user", { until: 99 }), node("model", "model", "user")],
      edges: [],
      moments: [],
      gone: ["r11", "reads-r11"],
    });
    expect(next.nodes.map((one) => one.id).slice(0, 2)).toEqual(["caller", "job"]);
    expect(next.nodes.at(-1)?.id).toBe("model");
    expect(next.nodes.some((one) => one.id === "r11")).toBe(false);
    expect(next.edges.length).toBe(PICTURE.edges.length - 1);
    expect(next.edges.find((one) => one.id === "reads-r0")?.amounts.map((one) => one.bytes)).toEqual([1, 99]);
  });
});

describe("bundled", () => {
  it("draws edges of many replicas as one of their pool, but for the one that is looked at", () => {
    const { dense } = arrange(PICTURE);
    const pools = poolsOf(PICTURE.nodes);
    const all = bundled(momentOf(PICTURE, 60), dense, pools, "");
    expect(all.map(({ id, members }) => [id, members.length])).toEqual([
      ["calls", 1],
      ["reads:splits>pool", 12],
    ]);
    expect(all[1]?.amount.bytes).toBe(12 * 10 + 66);
    const one = bundled(momentOf(PICTURE, 60), dense, pools, "r5");
    expect(one.map(({ id, members }) => [id, members.length])).toContainEqual(["reads:splits>r5", 1]);
  });

  it("draws the ways in which one replica reached the same files as one line", () => {
    const amounts = [{ time: 50, bytes: 6, rows: 0, lines: 0, count: 1 }];
    const ways = [
      edge("api", "writes", "r1", "splits", { amounts }),
      edge("folder", "writes", "r1", "splits", { amounts, label: "gcs" }),
    ];
    const [drawn] = bundled(momentOf({ ...PICTURE, edges: ways }, 60), new Set(), poolsOf(PICTURE.nodes), "");
    expect([drawn?.amount.bytes, drawn?.label, drawn?.members.length]).toEqual([12, "", 2]);
  });
});

describe("arrange", () => {
  it("keeps each region's nodes within it, and children within their parents", () => {
    const { boxes, regions } = arrange(PICTURE);
    for (const one of PICTURE.nodes) {
      const box = boxes.get(one.id);
      const around = one.parent ? boxes.get(one.parent) : regions[one.region];
      expect(box && around && box.x >= around.x && box.y >= around.y).toBe(true);
      expect(box && around && box.x + box.width <= around.x + around.width + 0.01).toBe(true);
      expect(box && around && box.y + box.height <= around.y + around.height + 0.01).toBe(true);
    }
  });
  it("lets nothing overlap", () => {
    const { boxes } = arrange(PICTURE);
    const leaves = PICTURE.nodes
      .filter((one) => !["attempt", "pool"].includes(one.kind))
      .map((one) => boxes.get(one.id));
    for (const [i, a] of leaves.entries()) {
      for (const b of leaves.slice(i + 1)) {
        if (!a || !b) continue;
        const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        expect(apart).toBe(true);
      }
    }
  });
});
