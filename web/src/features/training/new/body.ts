// What the API takes for a new job. Pure.
import type { CustomJob, CustomJobSpec, TrainingPipeline } from "~/api/vertex.gen";
import { splitWords } from "~/lib/words";
import { secondsOf } from "./durations";
import { type Form, isPipeline } from "./form";
import { labelsOf, pairsOf } from "./pairs";
import { specsOf, type Task } from "./pools";

export const SCRIPT_MODULE = "trainer_script.task";
const CUSTOM_TASK = "gs://google-cloud-aiplatform/schema/trainingjob/definition/custom_task_1.0.0.yaml";

/** What every replica runs, but those of pools that have a task of their own. */
export function taskOf(form: Form): Task {
  const env = pairsOf(form.env);
  const args = splitWords(form.args);
  const shared = { ...(env.length && { env }), ...(args.length && { args }) };
  if (form.how === "command") {
    return { containerSpec: { imageUri: form.image, command: splitWords(form.command), ...shared } };
  }
  return {
    pythonPackageSpec: {
      executorImageUri: form.image,
      packageUris: [form.package || "gs://…"],
      pythonModule: form.how === "script" ? SCRIPT_MODULE : form.module.trim(),
      ...shared,
    },
  };
}

export function specOf(form: Form): CustomJobSpec {
  const seconds = secondsOf(form.timeout);
  const account = form.account.trim();
  return {
    workerPoolSpecs: specsOf(form.pools, taskOf(form)),
    ...(seconds && { scheduling: { timeout: `${seconds}s` } }),
    ...(account && { serviceAccount: account }),
    ...(form.output && { baseOutputDirectory: { outputUriPrefix: form.output } }),
  };
}

/** What is sent: a custom job, or a training pipeline where there is a dataset or a model. */
export function bodyOf(form: Form): CustomJob | TrainingPipeline {
  const displayName = form.name.trim();
  const labels = labelsOf(form.labels);
  const named = { displayName, ...(Object.keys(labels).length && { labels }) };
  if (!isPipeline(form)) return { ...named, jobSpec: specOf(form) };
  return {
    ...named,
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
