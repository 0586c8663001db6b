import { describe, expect, it } from "vitest";
import { methodOf, pageOf, parseGs, parseName } from "./names";

describe("parseName", () => {
  it("takes names of one and of two collections apart", () => {
    expect(parseName("projects/p/locations/l/customJobs/1")).toMatchObject({ collection: "customJobs", id: "1" });
    const artifact = parseName("projects/p/locations/l/metadataStores/default/artifacts/a-b");
    expect(artifact?.path).toEqual([
      ["metadataStores", "default"],
      ["artifacts", "a-b"],
    ]);
  });
  it.each(["", "projects/p", "projects/p/locations/l", "projects/p/locations/l/customJobs", "gs://b/o"])(
    "refuses %s",
    (text) => expect(parseName(text)).toBeUndefined(),
  );
});

describe("parseGs", () => {
  it("keeps everything after the bucket, slashes and dots too", () => {
    expect(parseGs("gs://b/a//b/../c")).toEqual({ bucket: "b", object: "a//b/../c" });
    expect(parseGs("gs://b")).toEqual({ bucket: "b", object: "" });
    expect(parseGs("s3://b/c")).toBeUndefined();
  });
});

describe("pageOf", () => {
  it("knows the pages of resources", () => {
    expect(pageOf("projects/p/locations/l/models/3@2")).toBe("/projects/p/locations/l/models/3?version=2");
    expect(pageOf("projects/p/locations/l/endpoints/3")).toBeUndefined();
  });
});

describe("methodOf", () => {
  it.each([
    ["google.cloud.aiplatform.training_jobs.CustomPythonPackageTrainingJob.__init__", "CustomPythonPackageTrainingJob"],
    ["google.cloud.aiplatform.jobs.CustomJob.from_local_script", "CustomJob.from_local_script"],
    ["JobService.CreateCustomJob", "CreateCustomJob"],
    ["", ""],
  ])("%s is %s", (method, words) => expect(methodOf(method)).toBe(words));
});
