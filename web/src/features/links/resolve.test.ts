import { describe, expect, it } from "vitest";
import { resolve } from "./resolve";

const P = "projects/p/locations/us-central1";

describe("resolve", () => {
  it.each([
    // what SDK 2.7 prints, and what older ones did
    [
      "https://console.cloud.google.com/agent-platform/locations/us-central1/training/77?project=12",
      { kind: "training", project: "12", location: "us-central1", id: "77" },
    ],
    [
      "https://console.cloud.google.com/ai/platform/locations/us-central1/training/77?project=12",
      { kind: "training", project: "12", location: "us-central1", id: "77" },
    ],
    [
      "http://127.0.0.1:8443/ai/platform/locations/us-central1/training/77?project=12",
      { kind: "training", project: "12", location: "us-central1", id: "77" },
    ],
    [
      "https://console.cloud.google.com/vertex-ai/models/locations/us-central1/models/3/versions/2?project=p",
      { kind: "page", to: `/${P}/models/3?version=2` },
    ],
    [
      "https://console.cloud.google.com/vertex-ai/locations/us-central1/datasets/9?project=p",
      { kind: "page", to: `/${P}/datasets/9` },
    ],
    [
      "https://console.cloud.google.com/storage/browser/_details/b/a/c.csv;tab=live",
      { kind: "page", to: "/data/b/a/c.csv" },
    ],
    [
      "https://console.cloud.google.com/logs/viewer?project=12&resource=ml_job%2Fjob_id%2F77&advancedFilter=x",
      { kind: "training", project: "12", location: "-", id: "77", tab: "logs" },
    ],
    [
      "https://console.cloud.google.com/vertex-ai/locations/us-central1/pipelines/runs/r?project=p",
      { kind: "unbuilt", what: "pipelines" },
    ],
    // names and URIs
    [
      `https://us-central1-aiplatform.googleapis.com/v1/${P}/models/3@2`,
      { kind: "page", to: `/${P}/models/3?version=2` },
    ],
    [`${P}/customJobs/5`, { kind: "page", to: `/${P}/customJobs/5` }],
    [`"${P}/endpoints/5"`, { kind: "unbuilt", what: "endpoints" }],
    ["gs://b/folder/", { kind: "page", to: "/data/b/folder/" }],
    ["https://storage.googleapis.com/b/o%20x?generation=1", { kind: "page", to: "/data/b/o x" }],
  ])("%s", (text, target) => expect(resolve(text, "p")).toEqual(target));

  it("goes to the recorded node of an artifact link", () => {
    const link =
      "https://console.cloud.google.com/vertex-ai/locations/us-central1/metadata-stores/default/artifacts/a1?project=p";
    expect(resolve(link, "q")).toEqual({
      kind: "page",
      to: `/projects/p/lineage?focus=${encodeURIComponent(`${P}/metadataStores/default/artifacts/a1`)}`,
    });
  });

  it.each(["penguins", "my job 7", "", "https://example.com/x"])("leaves %s to the search", (text) =>
    expect(resolve(text, "p")).toBeUndefined(),
  );
});
