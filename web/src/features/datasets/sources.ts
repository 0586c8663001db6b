// What a dataset is made of, as its free-form metadata says.
import type { Dataset } from "~/api/vertex.gen";

interface Input {
  inputConfig?: { gcsSource?: { uri?: string[] }; bigquerySource?: { uri?: string } };
}

export function sourcesOf(dataset: Dataset): string[] {
  const input = (dataset.metadata as Input | undefined)?.inputConfig;
  return [...(input?.gcsSource?.uri ?? []), ...(input?.bigquerySource?.uri ? [input.bigquerySource.uri] : [])];
}

/** tabular, image, ... from the URI of the schema; empty when it says nothing. */
export function kindOf(dataset: Dataset): string {
  return /\/metadata\/([a-z_]+?)(_\d[\d.]*)?\.yaml$/.exec(dataset.metadataSchemaUri ?? "")?.[1] ?? "";
}
