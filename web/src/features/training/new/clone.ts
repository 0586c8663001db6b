// The form that makes a run like one that there is. Pure.
import type { CustomJob, CustomJobSpec, TrainingPipeline, WorkerPoolSpec } from "~/api/vertex.gen";
import { joinWords } from "~/lib/words";
import { durationOf } from "./durations";
import { EMPTY, type Form } from "./form";
import { textOfPairs } from "./pairs";
import { poolsOf } from "./pools";

/** The form that makes a run like this one, but for its output directory: in the same one it would write over the other's
 * model. What the form has no field for is left out, and so are labels that the service gave. */
export function formOf(job: CustomJob | null, pipeline: TrainingPipeline | null): Form {
  const spec = (pipeline?.trainingTaskInputs as CustomJobSpec | undefined) ?? job?.jobSpec ?? {};
  const specs = spec.workerPoolSpecs ?? [];
  const { displayName = "", labels = {} } = pipeline ?? job ?? {};
  return {
    ...EMPTY,
    ...codeOf(specs[0]),
    name: displayName,
    pools: poolsOf(specs),
    labels: ownLabels(labels),
    timeout: durationOf(Number.parseFloat(spec.scheduling?.timeout ?? "0")),
    account: spec.serviceAccount ?? "",
    ...(pipeline && dataOf(pipeline)),
  };
}

/** In the order of their names: the API tells them in any. */
function ownLabels(labels: Record<string, string>): string {
  const own = Object.keys(labels).filter((name) => !name.includes("/"));
  return textOfPairs(own.sort().map((name) => ({ name, value: labels[name] ?? "" })));
}

function codeOf(pool: WorkerPoolSpec | undefined): Partial<Form> {
  const python = pool?.pythonPackageSpec;
  const container = pool?.containerSpec;
  const task = python ?? container;
  return {
    how: python ? "package" : "command",
    package: python?.packageUris?.[0] ?? "",
    module: python?.pythonModule ?? EMPTY.module,
    command: joinWords(container?.command ?? []),
    args: joinWords(task?.args ?? []),
    image: python?.executorImageUri ?? container?.imageUri ?? "",
    env: textOfPairs(task?.env ?? []),
  };
}

function dataOf({ inputDataConfig, modelToUpload }: TrainingPipeline): Partial<Form> {
  const split = inputDataConfig?.fractionSplit;
  return {
    dataset: inputDataConfig?.datasetId ?? "",
    training: split?.trainingFraction ?? EMPTY.training,
    validation: split?.validationFraction ?? EMPTY.validation,
    test: split?.testFraction ?? EMPTY.test,
    model: modelToUpload?.displayName ?? "",
    serving: modelToUpload?.containerSpec?.imageUri ?? "",
  };
}
