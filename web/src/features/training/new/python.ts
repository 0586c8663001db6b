// The same job as a Python script for google-cloud-aiplatform. Pure.
import { splitWords } from "~/lib/words";
import { bodyOf, specOf } from "./body";
import { secondsOf } from "./durations";
import { type Form, isPipeline } from "./form";
import { type Pair, pairsOf } from "./pairs";
import { ALONE, areAlike, replicasOf } from "./pools";
import { requirementsOf } from "./requirements";

type Given = readonly (string | false)[];

const text = (value: string) => JSON.stringify(value);
const list = (values: readonly string[]) => `[${values.map(text).join(", ")}]`;
const some = (name: string, value: string) => value !== "" && `${name}=${text(value)}`;

/** A Python script that makes the same job. */
export function pythonOf(form: Form, project: string, location: string, upload = ""): string {
  const bucket = /^gs:\/\/[^/]+/.exec(form.output || form.package)?.[0] ?? `gs://${upload || "BUCKET"}`;
  const made = isPipeline(form)
    ? areAlike(form.pools)
      ? training(form)
      : pipeline(form, project, location)
    : job(form);
  return [
    "from google.cloud import aiplatform",
    "",
    `aiplatform.init(project=${text(project)}, location=${text(location)}, staging_bucket=${text(bucket)})`,
    ...made,
  ].join("\n");
}

function job(form: Form): string[] {
  const run = call("job.run", [...running(form)]);
  if (form.how !== "script") return [...customJob(form, literal(snaked(specOf(form).workerPoolSpecs))), ...run];
  if (areAlike(form.pools)) {
    return [
      ...script("job", form, [...machines(form), ...labelled(form), some("base_output_dir", form.output)]),
      ...run,
    ];
  }
  const pools = specOf(form).workerPoolSpecs?.map((pool, i) =>
    form.pools[i]?.task || !pool.replicaCount ? pool : { ...pool, pythonPackageSpec: PACKED },
  );
  return [
    ...script("packed", form, []),
    "package = packed.job_spec.worker_pool_specs[0].python_package_spec",
    ...customJob(form, literal(snaked(pools)).replaceAll(text(PACKED), "package")),
    ...run,
  ];
}

/** Stands for what the SDK makes of the script when the code runs. */
const PACKED = "\u0000packed";
const MODULE = "\u0000module";

function customJob(form: Form, pools: string): string[] {
  return call("job = aiplatform.CustomJob", [
    `display_name=${text(form.name.trim())}`,
    `worker_pool_specs=${pools}`,
    ...labelled(form),
    some("base_output_dir", form.output),
  ]);
}

/** A job around a local script, which the SDK packs and uploads. */
function script(name: string, form: Form, more: Given): string[] {
  return call(`${name} = aiplatform.CustomJob.from_local_script`, [
    `display_name=${text(form.name.trim())}`,
    'script_path="your_script.py"',
    `container_uri=${text(form.image)}`,
    ...needed(form),
    ...task(form),
    ...more,
  ]);
}

const CLASSES = {
  script: "CustomTrainingJob",
  package: "CustomPythonPackageTrainingJob",
  command: "CustomContainerTrainingJob",
} as const;

function training(form: Form): string[] {
  const code = {
    script: ['script_path="your_script.py"', ...needed(form)],
    package: [`python_package_gcs_uri=${text(form.package)}`, `python_module_name=${text(form.module.trim())}`],
    command: [`command=${list(splitWords(form.command))}`],
  };
  const data = [
    `dataset=aiplatform.TabularDataset(${text(form.dataset)})`,
    `training_fraction_split=${form.training}`,
    `validation_fraction_split=${form.validation}`,
    `test_fraction_split=${form.test}`,
  ];
  return [
    ...call(`job = aiplatform.${CLASSES[form.how]}`, [
      `display_name=${text(form.name.trim())}`,
      ...code[form.how],
      `container_uri=${text(form.image)}`,
      ...labelled(form),
      !!form.model && `model_serving_container_image_uri=${text(form.serving || "IMAGE")}`,
    ]),
    ...call("job.run", [
      ...(form.dataset ? data : []),
      ...task(form),
      ...machines(form),
      some("base_output_dir", form.output),
      some("model_display_name", form.model),
      ...running(form),
    ]),
  ];
}

/** Pools that differ from each other are more than the SDK's classes for training take: the client beneath them does. */
function pipeline(form: Form, project: string, location: string): string[] {
  const isScript = form.how === "script";
  const body = bodyOf(isScript ? { ...form, how: "package", package: PACKED, module: MODULE } : form);
  const shown = literal(snaked(body, ["training_task_inputs", "labels"]))
    .replaceAll(text(PACKED), "package.package_uris[0]")
    .replaceAll(text(MODULE), "package.python_module");
  return [
    ...(isScript
      ? [
          ...script("packed", { ...form, args: "", env: "" }, []),
          "package = packed.job_spec.worker_pool_specs[0].python_package_spec",
        ]
      : []),
    ...call("client = aiplatform.gapic.PipelineServiceClient", [
      `client_options={"api_endpoint": ${text(`${location}-aiplatform.googleapis.com`)}}`,
    ]),
    ...call("pipeline = client.create_training_pipeline", [
      `parent=${text(`projects/${project}/locations/${location}`)}`,
      `training_pipeline=${shown}`,
    ]),
    "print(pipeline.name)",
  ];
}

function needed(form: Form): Given {
  const requirements = requirementsOf(form);
  return [requirements.length > 0 && `requirements=${list(requirements)}`];
}

function task(form: Form): Given {
  const args = splitWords(form.args);
  const env = pairsOf(form.env);
  return [args.length > 0 && `args=${list(args)}`, env.length > 0 && `environment_variables=${dict(env)}`];
}

function machines(form: Form): Given {
  const { machine, accelerator, accelerators } = form.pools[0] ?? ALONE;
  const replicas = replicasOf(form.pools);
  return [
    `machine_type=${text(machine)}`,
    !!accelerator && `accelerator_type=${text(accelerator)}`,
    !!accelerator && `accelerator_count=${Math.max(1, accelerators)}`,
    replicas > 1 && `replica_count=${replicas}`,
  ];
}

function labelled(form: Form): Given {
  const labels = pairsOf(form.labels);
  return [labels.length > 0 && `labels=${dict(labels)}`];
}

function running(form: Form): Given {
  const seconds = secondsOf(form.timeout);
  return [some("service_account", form.account.trim()), seconds !== undefined && `timeout=${seconds}`];
}

/** A call, an argument a line. */
function call(name: string, given: Given): string[] {
  const lines = given.filter((one) => one !== false);
  if (lines.length === 0) return [`${name}()`];
  return [`${name}(`, ...lines.flatMap((one) => `${one},`.split("\n").map((line) => `    ${line}`)), ")"];
}

function dict(pairs: readonly Pair[]): string {
  return `{${pairs.map(({ name, value }) => `${text(name)}: ${text(value)}`).join(", ")}}`;
}

/** A value of JSON without true, false and null is Python as it stands. */
function literal(value: unknown): string {
  return JSON.stringify(value, null, 4);
}

/** Keys as the SDK's dictionaries spell them, numbers as numbers; members named in `free` are left as they are within. */
function snaked(value: unknown, free: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((one) => snaked(one, free));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      if (name === "replica_count") return [name, Number(inner)];
      return [name, free.includes(name) ? inner : snaked(inner, free)];
    }),
  );
}
