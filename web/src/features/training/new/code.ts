// The same job as code: with gcloud, and as a bare request; `python` has it with Google's SDK. Pure.
import { joinWords } from "~/lib/words";
import { bodyOf, specOf } from "./body";
import { type Form, isPipeline } from "./form";
import { pairsOf } from "./pairs";
import { requirementsOf } from "./requirements";

/** A gcloud command; a pipeline has none, so it is the job of it. */
export function shellOf(form: Form, project: string, location: string, upload = ""): string {
  const archive = `gs://${upload || "BUCKET"}/console/trainer_script-0.1.tar.gz`;
  const ready = form.how === "script" && !form.package ? { ...form, package: archive } : form;
  const labels = pairsOf(form.labels).map(({ name, value }) => `${name}=${value}`);
  const lines = [
    "gcloud ai custom-jobs create",
    `--project=${joinWords([project])} --region=${joinWords([location])}`,
    `--display-name=${joinWords([form.name.trim()])}`,
    ...(labels.length ? [`--labels=${joinWords([labels.join(",")])}`] : []),
    "--config=/dev/stdin << 'EOF'",
  ];
  // JSON is YAML, and a file says what flags have no words for: timeouts, output directories, commas in arguments.
  const command = `${lines.join(" \\\n  ")}\n${JSON.stringify(specOf(ready), null, 2)}\nEOF`;
  return ready === form ? command : [...packing(form, archive), command].join("\n");
}

/** A script as the source distribution that replicas install. */
function packing(form: Form, archive: string): string[] {
  const setup = `from setuptools import setup; setup(name="trainer_script", version="0.1", packages=["trainer_script"], install_requires=${JSON.stringify(requirementsOf(form))})`;
  return [
    "mkdir -p trainer_script && touch trainer_script/__init__.py && cp your_script.py trainer_script/task.py",
    // Not echo: that of sh and zsh reads backslashes.
    `printf '%s\\n' ${joinWords([setup])} > setup.py`,
    `python3 setup.py --quiet sdist && gcloud storage cp dist/trainer_script-0.1.tar.gz ${joinWords([archive])}`,
  ];
}

/** The request itself: the first line says where to, the rest is its body. */
export function restOf(form: Form, project: string, location: string): string {
  const collection = isPipeline(form) ? "trainingPipelines" : "customJobs";
  return `POST /v1/projects/${project}/locations/${location}/${collection}\n${JSON.stringify(bodyOf(form), null, 2)}`;
}
