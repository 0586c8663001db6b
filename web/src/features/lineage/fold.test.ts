import { describe, expect, it } from "vitest";
import { folded } from "./fold";
import { EMPTY, grown, neighbours, shown } from "./graph";

const object = (name: string, uri: string) => ({
  name,
  uri,
  metadata: { role: "object" },
  createTime: `2026-01-${name}`,
});
const many = Array.from({ length: 12 }, (_, at) => object(`${10 + at}`, `gs://b/many/${at}.txt`));
const made = (artifact: string) => ({ artifact, execution: "replica", type: "OUTPUT" as const });
const GRAPH = shown(
  grown(
    EMPTY,
    {
      artifacts: [...many, object("31", "gs://b/one.txt")],
      executions: [{ name: "replica" }, { name: "reader" }],
      events: [
        ...many.map(({ name }) => made(name)),
        made("31"),
        { artifact: "12", execution: "reader", type: "INPUT" },
      ],
    },
    [],
  ),
);
const ID = "makes replica gs://b/many/";

describe("folded", () => {
  const graph = folded(GRAPH, new Set());
  it("makes one node of many objects in one folder that one replica made", () => {
    expect(graph.things.map(({ id }) => id)).toEqual(["12", "31", "replica", "reader", ID]);
    const folder = graph.things.find(({ id }) => id === ID);
    expect([folder?.title, folder?.uri, folder?.inside?.length, folder?.created]).toEqual([
      "many/",
      "gs://b/many/",
      11,
      "2026-01-10",
    ]);
    expect(graph.nodeOf("13")).toBe(ID);
    expect(graph.members.get(ID)).toHaveLength(11);
    expect(neighbours(graph, "replica").made.map(({ id }) => id)).toEqual([ID, "12", "31"]);
  });
  it("leaves alone what was unfolded, and what is asked for by its name", () => {
    expect(folded(GRAPH, new Set([ID]))).toBe(GRAPH);
    expect(folded(GRAPH, new Set(["15"])).nodeOf("15")).toBe("15");
  });
  it("leaves few as they are", () => {
    const apart = new Set(many.slice(0, 4).map(({ name }) => name));
    expect(folded(GRAPH, apart)).toBe(GRAPH);
  });
});
