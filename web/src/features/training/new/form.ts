// A new job as the form holds it, and the way between that and what the API takes. Pure.
import type { CustomJob, CustomJobSpec, TrainingPipeline, WorkerPoolSpec } from "~/api/vertex.gen";
import { joinWords, splitWords } from "~/lib/words";

export interface Form {
  name: string;
  how: "script" | "package" | "command";
  /** package: where the source distribution lies */
  package: string;
  module: string;
  /** script: packages that it needs, separated by commas */
  requirements: string;
  /** command: a command line */
  command: string;
  args: string;
  image: string;
  machine: string;
  replicas: number;
  /** NAME=VALUE, a line each */
  env: string;
  dataset: string;
  training: number;
  validation: number;
  test: number;
  output: string;
  model: string;
  serving: string;
}

export const EMPTY: Form = {
  name: "",
  how: "script",
  package: "",
  module: "trainer.task",
  requirements: "",
  command: "",
  args: "",
  image: "",
  machine: "n1-standard-4",
  replicas: 1,
  env: "",
  dataset: "",
  training: 0.8,
  validation: 0.1,
  test: 0.1,
  output: "",
  model: "",
  serving: "",
};

export const SCRIPT_MODULE = "trainer_script.task";
const CUSTOM_TASK = "gs://google-cloud-aiplatform/schema/trainingjob/definition/custom_task_1.0.0.yaml";

/** Whether it takes a pipeline: a dataset or a model belongs to the run. */
export function isPipeline(form: Form): boolean {
  return !!(form.dataset || form.model);
}

/** Names of fields that keep the form from being sent. */
export function missing(form: Form, hasScript: boolean): (keyof Form)[] {
  const needed: (keyof Form | false)[] = [
    !form.name.trim() && "name",
    !form.image && "image",
    form.how === "script" && !hasScript && !form.package && "how",
    form.how === "package" && !/^gs:\/\/[^/]+\/.+/.test(form.package) && "package",
    form.how === "package" && !form.module.trim() && "module",
    form.how === "command" && !form.command.trim() && "command",
    !!form.output && !form.output.startsWith("gs://") && "output",
    isPipeline(form) && !form.output && "output",
    !!form.model && !form.serving && "serving",
    !!form.dataset && Math.abs(form.training + form.validation + form.test - 1) > 1e-6 && "training",
  ];
  return needed.filter((field) => field !== false);
}

export function specOf(form: Form): CustomJobSpec {
  const env = envOf(form.env);
  const args = splitWords(form.args);
  const shared = { ...(env.length && { env }), ...(args.length && { args }) };
  const code =
    form.how === "command"
      ? { containerSpec: { imageUri: form.image, command: splitWords(form.command), ...shared } }
      : {
          pythonPackageSpec: {
            executorImageUri: form.image,
            packageUris: [form.package || "gs://…"],
            pythonModule: form.how === "script" ? SCRIPT_MODULE : form.module.trim(),
            ...shared,
          },
        };
  const machineSpec = { machineType: form.machine };
  const primary = { machineSpec, replicaCount: "1", ...code };
  const others = form.replicas > 1 ? [{ machineSpec, replicaCount: String(form.replicas - 1), ...code }] : [];
  return {
    workerPoolSpecs: [primary, ...others],
    ...(form.output && { baseOutputDirectory: { outputUriPrefix: form.output } }),
  };
}

/** What is sent: a custom job, or a training pipeline where there is a dataset or a model. */
export function bodyOf(form: Form): CustomJob | TrainingPipeline {
  const displayName = form.name.trim();
  if (!isPipeline(form)) return { displayName, jobSpec: specOf(form) };
  return {
    displayName,
    trainingTaskDefinition: CUSTOM_TASK,
    trainingTaskInputs: specOf(form),
    ...(form.dataset && {
      inputDataConfig: {
        datasetId: form.dataset,
        fractionSplit: {
          trainingFraction: form.training,
          validationFraction: form.validation,
          testFraction: form.test,
        },
        gcsDestination: { outputUriPrefix: form.output },
      },
    }),
    ...(form.model && { modelToUpload: { displayName: form.model, containerSpec: { imageUri: form.serving } } }),
  };
}

export function envOf(text: string): { name: string; value: string }[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.includes("="))
    .map((line) => ({ name: line.slice(0, line.indexOf("=")), value: line.slice(line.indexOf("=") + 1) }));
}

/** The form that makes a run like this one, but for its output directory: in the same one it would write over the other's
 * model. What the form has no field for is left out. */
export function formOf(job: CustomJob | null, pipeline: TrainingPipeline | null): Form {
  const spec = (pipeline?.trainingTaskInputs as CustomJobSpec | undefined) ?? job?.jobSpec ?? {};
  const pools = spec.workerPoolSpecs ?? [];
  return {
    ...EMPTY,
    ...codeOf(pools[0]),
    name: (pipeline ?? job)?.displayName ?? "",
    machine: pools[0]?.machineSpec?.machineType ?? EMPTY.machine,
    replicas: 1 + Number(pools[1]?.replicaCount ?? 0),
    ...(pipeline && dataOf(pipeline)),
  };
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
    env: (task?.env ?? []).map(({ name, value }) => `${name}=${value ?? ""}`).join("\n"),
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
