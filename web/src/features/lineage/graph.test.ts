import { describe, expect, it } from "vitest";
import { EMPTY, grown, joined, neighbours, newIn, shown, startOf, thing } from "./graph";

const PACKAGE = { name: "package", uri: "gs://b/p.tar.gz", metadata: { role: "package" } };
const READ = { name: "object", uri: "gs://b/p.tar.gz", metadata: { role: "object", generation: "1" } };
const OTHER = { name: "other", uri: "gs://b/other", metadata: { role: "object" } };
const RUN = {
  artifacts: [READ, PACKAGE, OTHER],
  executions: [{ name: "job" }, { name: "replica", schemaTitle: "system.ContainerExecution" }],
  events: [
    { artifact: "package", execution: "job", type: "INPUT" as const },
    { artifact: "package", execution: "replica", type: "INPUT" as const },
    { artifact: "object", execution: "replica", type: "INPUT" as const },
    { artifact: "other", execution: "replica", type: "OUTPUT" as const },
  ],
};

describe("shown", () => {
  const { things, arrows, members, nodeOf } = shown(grown(EMPTY, RUN, ["job"]));
  it("makes one node of a package that was read", () => {
    expect(things.map((one) => one.id)).toEqual(["package", "other", "job", "replica"]);
    expect(members.get("package")).toEqual(["package", "object"]);
    expect(nodeOf("object")).toBe("package");
  });
  it("draws one line between two nodes, in the direction of what passed", () =>
    expect(arrows.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      "package>job reads",
      "package>replica reads",
      "replica>other makes",
    ]));
});

describe("joined", () => {
  const part = grown(EMPTY, { artifacts: [OTHER], executions: [{ name: "replica" }] }, []);
  it("brings what is between things that are shown, and nothing else", () => {
    const next = joined(part, [RUN]);
    expect([...next.arrows.keys()]).toEqual(["replica>other"]);
    expect([...next.things.keys()]).toEqual(["other", "replica"]);
    expect(joined(next, [RUN])).toBe(next);
  });
});

describe("a job without events of its own", () => {
  const made = (name: string, job: string, schemaTitle: string) => ({
    name,
    schemaTitle,
    metadata: { customJob: job },
  });
  const executions = [
    made("job", "customJobs/7", "system.CustomJobExecution"),
    made("r0", "customJobs/7", "system.ContainerExecution"),
    made("r1", "customJobs/7", "system.ContainerExecution"),
    made("alien", "customJobs/8", "system.ContainerExecution"),
  ];
  const graph = shown(grown(EMPTY, { executions }, []));
  it("is joined to the replicas that ran it", () =>
    expect(graph.arrows.map(({ id, kind }) => `${id} ${kind}`)).toEqual(["job>r0 runs", "job>r1 runs"]));
  it("and they to it", () => {
    expect(neighbours(graph, "job").ranAs.map(({ id }) => id)).toEqual(["r0", "r1"]);
    expect(neighbours(graph, "r1").partOf.map(({ id }) => id)).toEqual(["job"]);
  });
});

describe("newIn", () => {
  it("counts what a step further would bring", () => {
    const graph = grown(EMPTY, RUN, []);
    expect(newIn(graph, { artifacts: [OTHER], executions: [{ name: "job" }] })).toBe(0);
    expect(newIn(graph, { executions: [{ name: "another" }] })).toBe(1);
    expect(newIn(graph, {})).toBe(0);
  });
});

describe("startOf", () => {
  const STORE = "projects/p/locations/l/metadataStores/default";
  it("is what holds a job with its replicas: a pipeline's run, or the job's own", () => {
    const ran = {
      name: `${STORE}/executions/job-7`,
      metadata: { trainingPipeline: "projects/p/locations/l/trainingPipelines/9" },
    };
    expect(startOf(ran)).toBe(`${STORE}/contexts/training-9`);
    expect(thing(ran, "execution").role).toBe("pipeline");
    expect(startOf({ name: ran.name })).toBe(`${STORE}/contexts/job-7`);
    expect(startOf({ name: `${STORE}/executions/mine` })).toBe(`${STORE}/executions/mine`);
    expect(thing({ name: ran.name }, "execution").role).toBe("job");
  });
});
