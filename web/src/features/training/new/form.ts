// A new job as the form holds it, and what it still lacks. Pure.
import { secondsOf } from "./durations";
import { areLabels } from "./pairs";
import { ALONE, type Pool } from "./pools";

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
  /** the primary first */
  pools: readonly Pool[];
  /** NAME=VALUE, a line each */
  env: string;
  dataset: string;
  training: number;
  validation: number;
  test: number;
  output: string;
  model: string;
  serving: string;
  /** NAME=VALUE, a line each */
  labels: string;
  /** `90s`, `2h`; empty for as long as the API lets it run */
  timeout: string;
  /** email of the service account that it runs as; empty for the project's own */
  account: string;
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
  pools: [ALONE],
  env: "",
  dataset: "",
  training: 0.8,
  validation: 0.1,
  test: 0.1,
  output: "",
  model: "",
  serving: "",
  labels: "",
  timeout: "",
  account: "",
};

const EMAIL = /^[^@\s/]+@[^@\s/]+\.[^@\s/]+$/;

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
    !areLabels(form.labels) && "labels",
    !!form.timeout.trim() && secondsOf(form.timeout) === undefined && "timeout",
    !!form.account.trim() && !EMAIL.test(form.account.trim()) && "account",
  ];
  return needed.filter((field) => field !== false);
}
