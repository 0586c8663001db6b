import { describe, expect, it } from "vitest";
import type { CustomJob, TrainingPipeline } from "~/api/vertex.gen";
import { bodyOf, specOf } from "./body";
import { formOf } from "./clone";
import { durationOf, secondsOf } from "./durations";
import { EMPTY, type Form, missing } from "./form";
import { ALONE } from "./pools";

const GPU = { machine: "n1-standard-8", accelerator: "NVIDIA_TESLA_T4", accelerators: 2, replicas: 3 };
const NONE = { ...ALONE, replicas: 0 };
const PACKAGE: Form = {
  ...EMPTY,
  name: "forest",
  how: "package",
  package: "gs://b/p.tar.gz",
  image: "us-docker.pkg.dev/vertex-ai/training/sklearn-cpu.1-6:latest",
  args: "--trees 60 --name 'two words'",
  pools: [ALONE, { ...ALONE, replicas: 2 }],
  env: "A=1\nB=x=y",
};
const TERMS = { labels: "stage=\nteam=vision", timeout: "90m", account: "trainer@p.iam.gserviceaccount.com" };
const PIPELINE: Form = { ...PACKAGE, ...TERMS, dataset: "7", output: "gs://b/out", model: "penguins", serving: "img" };

describe("bodyOf", () => {
  it("makes a job with a primary and workers", () => {
    const job = bodyOf(PACKAGE) as CustomJob;
    expect(job.jobSpec?.workerPoolSpecs?.map((pool) => pool.replicaCount)).toEqual(["1", "2"]);
    expect(job.jobSpec?.workerPoolSpecs?.[0]?.pythonPackageSpec).toMatchObject({
      args: ["--trees", "60", "--name", "two words"],
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "x=y" },
      ],
    });
    expect(job).not.toHaveProperty("labels");
    expect(job.jobSpec).not.toHaveProperty("scheduling");
    expect(job.jobSpec).not.toHaveProperty("serviceAccount");
  });
  it("makes a pipeline where there is a dataset or a model", () => {
    const pipeline = bodyOf(PIPELINE) as TrainingPipeline;
    expect(pipeline.inputDataConfig?.fractionSplit?.trainingFraction).toBe(0.8);
    expect(pipeline.modelToUpload?.displayName).toBe("penguins");
    expect(pipeline.labels).toEqual({ team: "vision", stage: "" });
    expect(pipeline.trainingTaskInputs).toMatchObject({
      scheduling: { timeout: "5400s" },
      serviceAccount: TERMS.account,
    });
  });
  it("keeps the place of pools after an empty one, and says what each has", () => {
    const pools = specOf({ ...PACKAGE, pools: [ALONE, NONE, GPU] }).workerPoolSpecs;
    expect(pools?.[1]).toEqual({});
    expect(pools?.[2]?.machineSpec).toEqual({
      machineType: "n1-standard-8",
      acceleratorType: "NVIDIA_TESLA_T4",
      acceleratorCount: 2,
    });
  });
});

describe("formOf", () => {
  const own = { containerSpec: { imageUri: "i", command: ["serve"] } };
  it.each([
    ["package", PACKAGE],
    ["command", { ...EMPTY, how: "command", name: "c", image: "i", command: "python3 -c 'print(1)'" } as Form],
    ["labelled", { ...PACKAGE, ...TERMS }],
    ["accelerated", { ...PACKAGE, pools: [{ ...GPU, replicas: 1 }, ALONE, GPU, ALONE] }],
    ["gapped", { ...PACKAGE, pools: [ALONE, NONE, { ...GPU, task: own }] }],
  ])("gives back the form of a %s job", (_, form) => expect(formOf(bodyOf(form) as CustomJob, null)).toEqual(form));
  it("gives back the form of a pipeline, but not where its results lie", () =>
    expect(formOf(null, bodyOf(PIPELINE) as TrainingPipeline)).toEqual({ ...PIPELINE, output: "" }));
  it("keeps environment variables as they are, whatever is in them", () => {
    const values = [
      "1\nLD_PRELOAD=/x.so",
      " two ",
      '"',
      '"quoted"',
      '"a" b',
      "\\n",
      "a\rb",
      "",
      "x=y",
      "\ttab",
      '{"a": "b"}',
    ];
    const env = values.map((value, i) => ({ name: `V${i}`, value }));
    const form = formOf(
      { jobSpec: { workerPoolSpecs: [{ replicaCount: "1", containerSpec: { imageUri: "i", env } }] } },
      null,
    );
    expect(form.env.split("\n")).toHaveLength(values.length);
    expect(specOf(form).workerPoolSpecs?.[0]?.containerSpec?.env).toEqual(env);
  });
  it("has environment variables without quotes where none are needed", () => {
    const env = [{ name: "A", value: 'it\'s "one" {1}' }];
    const form = formOf(
      { jobSpec: { workerPoolSpecs: [{ replicaCount: "1", containerSpec: { imageUri: "i", env } }] } },
      null,
    );
    expect(form.env).toBe('A=it\'s "one" {1}');
  });
  it("leaves out labels that only the service may give", () =>
    expect(formOf({ labels: { "goog/x": "1", a: "b" } }, null).labels).toBe("a=b"));
});

describe("missing", () => {
  it("names what is needed", () => {
    expect(missing(EMPTY, false)).toEqual(["name", "image", "how"]);
    expect(missing({ ...PACKAGE, package: "b/p" }, false)).toEqual(["package"]);
    expect(missing({ ...PIPELINE, output: "", serving: "", test: 0.2 }, false)).toEqual([
      "output",
      "serving",
      "training",
    ]);
    expect(missing(PIPELINE, false)).toEqual([]);
  });
  it.each([
    ["labels", "no equals sign"],
    ["labels", "Team=vision"],
    ["labels", "team=Vision"],
    ["timeout", "soon"],
    ["timeout", "0"],
    ["account", "somebody"],
  ])("does not take %s: %s", (field, value) => expect(missing({ ...PACKAGE, [field]: value }, false)).toEqual([field]));
});

describe("durations", () => {
  it.each([
    ["90", 90],
    ["90s", 90],
    ["1h 30m", 5400],
    ["2D", 172_800],
    ["", undefined],
    ["1h30", undefined],
  ])("%s", (text, seconds) => expect(secondsOf(text)).toBe(seconds));
  it("are said in the largest unit that fits", () =>
    expect([7200, 5400, 61, 604_800, 0].map(durationOf)).toEqual(["2h", "90m", "61s", "7d", ""]));
});
