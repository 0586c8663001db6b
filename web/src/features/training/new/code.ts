// The same job as code: with Google's SDK, with gcloud, and as a bare request. Pure.
import { joinWords, splitWords } from "~/lib/words";
import { bodyOf, envOf, type Form, isPipeline, SCRIPT_MODULE, specOf } from "./form";

const text = (value: string) => JSON.stringify(value);
const list = (values: readonly string[]) => `[${values.map(text).join(", ")}]`;

/** A Python script for google-cloud-aiplatform. */
export function pythonOf(form: Form, project: string, location: string, upload = ""): string {
  const bucket = /^gs:\/\/[^/]+/.exec(form.output || form.package)?.[0] ?? `gs://${upload || "BUCKET"}`;
  const head = [
    "from google.cloud import aiplatform",
    "",
    `aiplatform.init(project=${text(project)}, location=${text(location)}, staging_bucket=${text(bucket)})`,
  ];
  return [...head, ...(isPipeline(form) ? trainingJob(form) : customJob(form))].join("\n");
}

function customJob(form: Form): string[] {
  const args = splitWords(form.args);
  const env = envOf(form.env);
  if (form.how === "script") {
    const given = [
      `display_name=${text(form.name)}`,
      'script_path="your_script.py"',
      `container_uri=${text(form.image)}`,
      ...(form.requirements ? [`requirements=${list(requirementsOf(form))}`] : []),
      ...(args.length ? [`args=${list(args)}`] : []),
      ...(env.length ? [`environment_variables=${dict(env)}`] : []),
      `machine_type=${text(form.machine)}`,
      ...(form.replicas > 1 ? [`replica_count=${form.replicas}`] : []),
      ...(form.output ? [`base_output_dir=${text(form.output)}`] : []),
    ];
    return ["job = aiplatform.CustomJob.from_local_script(", ...given.map((one) => `    ${one},`), ")", "job.run()"];
  }
  const pools = JSON.stringify(snaked(specOf(form).workerPoolSpecs), null, 4);
  return [
    "job = aiplatform.CustomJob(",
    `    display_name=${text(form.name)},`,
    ...`    worker_pool_specs=${pools},`.split("\n").map((line, i) => (i ? `    ${line}` : line)),
    ...(form.output ? [`    base_output_dir=${text(form.output)},`] : []),
    ")",
    "job.run()",
  ];
}

function trainingJob(form: Form): string[] {
  const name =
    form.how === "script"
      ? "CustomTrainingJob"
      : form.how === "package"
        ? "CustomPythonPackageTrainingJob"
        : "CustomContainerTrainingJob";
  const code =
    form.how === "script"
      ? ['script_path="your_script.py"', ...(form.requirements ? [`requirements=${list(requirementsOf(form))}`] : [])]
      : form.how === "package"
        ? [`python_package_gcs_uri=${text(form.package)}`, `python_module_name=${text(form.module)}`]
        : [`command=${list(splitWords(form.command))}`];
  const made = [
    `display_name=${text(form.name)}`,
    ...code,
    `container_uri=${text(form.image)}`,
    ...(form.model ? [`model_serving_container_image_uri=${text(form.serving || "IMAGE")}`] : []),
  ];
  const args = splitWords(form.args);
  const env = envOf(form.env);
  const run = [
    ...(form.dataset
      ? [
          `dataset=aiplatform.TabularDataset(${text(form.dataset)})`,
          `training_fraction_split=${form.training}`,
          `validation_fraction_split=${form.validation}`,
          `test_fraction_split=${form.test}`,
        ]
      : []),
    ...(args.length ? [`args=${list(args)}`] : []),
    ...(env.length ? [`environment_variables=${dict(env)}`] : []),
    `machine_type=${text(form.machine)}`,
    `replica_count=${form.replicas}`,
    ...(form.output ? [`base_output_dir=${text(form.output)}`] : []),
    ...(form.model ? [`model_display_name=${text(form.model)}`] : []),
  ];
  const block = (lines: string[]) => lines.map((line) => `    ${line},`);
  return [`job = aiplatform.${name}(`, ...block(made), ")", "job.run(", ...block(run), ")"];
}

/** A gcloud command; a pipeline has none, so it is the job of it. */
export function shellOf(form: Form, project: string, location: string): string {
  const module = form.how === "script" ? SCRIPT_MODULE : form.module;
  const pool = (count: number) =>
    `--worker-pool-spec=machine-type=${form.machine},replica-count=${count},` +
    (form.how === "command"
      ? `container-image-uri=${form.image}`
      : `executor-image-uri=${form.image},python-module=${module}`);
  const lines = [
    "gcloud ai custom-jobs create",
    `--project=${project} --region=${location}`,
    `--display-name=${joinWords([form.name])}`,
    pool(1),
    ...(form.replicas > 1 ? [pool(form.replicas - 1)] : []),
    ...(form.how === "command" ? [`--command=${joinWords([splitWords(form.command).join(",")])}`] : []),
    ...(form.how !== "command" ? [`--python-package-uris=${joinWords([form.package || "gs://…"])}`] : []),
    ...(form.args ? [`--args=${joinWords([splitWords(form.args).join(",")])}`] : []),
    ...(form.env
      ? [
          `--env-vars=${joinWords([
            envOf(form.env)
              .map(({ name, value }) => `${name}=${value}`)
              .join(","),
          ])}`,
        ]
      : []),
  ];
  return lines.join(" \\\n  ");
}

/** The request itself: the first line says where to, the rest is its body. */
export function restOf(form: Form, project: string, location: string): string {
  const collection = isPipeline(form) ? "trainingPipelines" : "customJobs";
  return `POST /v1/projects/${project}/locations/${location}/${collection}\n${JSON.stringify(bodyOf(form), null, 2)}`;
}

export function requirementsOf(form: Form): string[] {
  return form.requirements
    .split(/[,\n]/)
    .map((one) => one.trim())
    .filter(Boolean);
}

function dict(env: readonly { name: string; value: string }[]): string {
  return `{${env.map(({ name, value }) => `${text(name)}: ${text(value)}`).join(", ")}}`;
}

/** Keys as the SDK's dictionaries spell them. */
function snaked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snaked);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      key === "replicaCount" ? Number(inner) : snaked(inner),
    ]),
  );
}
