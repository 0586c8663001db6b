import { describe, expect, it } from "vitest";
import type { CustomJob, TrainingPipeline } from "~/api/vertex.gen";
import { pythonOf, restOf, shellOf } from "./code";
import { bodyOf, EMPTY, type Form, formOf, missing } from "./form";

const PACKAGE: Form = {
  ...EMPTY,
  name: "forest",
  how: "package",
  package: "gs://b/p.tar.gz",
  image: "us-docker.pkg.dev/vertex-ai/training/sklearn-cpu.1-6:latest",
  args: "--trees 60 --name 'two words'",
  replicas: 3,
  env: "A=1\nB=x=y",
};
const PIPELINE: Form = { ...PACKAGE, dataset: "7", output: "gs://b/out", model: "penguins", serving: "img" };

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
  });
  it("makes a pipeline where there is a dataset or a model", () => {
    const pipeline = bodyOf(PIPELINE) as TrainingPipeline;
    expect(pipeline.inputDataConfig?.fractionSplit?.trainingFraction).toBe(0.8);
    expect(pipeline.modelToUpload?.displayName).toBe("penguins");
  });
});

describe("formOf", () => {
  it.each([
    ["package", PACKAGE],
    ["command", { ...EMPTY, how: "command", name: "c", image: "i", command: "python3 -c 'print(1)'" } as Form],
  ])("gives back the form of a %s job", (_, form) => expect(formOf(bodyOf(form) as CustomJob, null)).toEqual(form));
  it("gives back the form of a pipeline, but not where its results lie", () =>
    expect(formOf(null, bodyOf(PIPELINE) as TrainingPipeline)).toEqual({ ...PIPELINE, output: "" }));
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
});

describe("code", () => {
  it("quotes what people typed", () => {
    const nasty = { ...PACKAGE, name: 'a"b\\', args: `--x "it's"` };
    expect(pythonOf(nasty, "p", "us-central1")).toContain('display_name="a\\"b\\\\"');
    expect(shellOf(nasty, "p", "us-central1")).toContain(`'a"b\\'`);
    expect(JSON.parse(restOf(nasty, "p", "us-central1").split("\n").slice(1).join("\n"))).toMatchObject({
      displayName: 'a"b\\',
    });
  });
  it("uses the class that the SDK has for it", () => {
    expect(pythonOf(PIPELINE, "p", "l")).toContain("CustomPythonPackageTrainingJob");
    expect(pythonOf({ ...PACKAGE, how: "script" }, "p", "l")).toContain("CustomJob.from_local_script");
  });
});
