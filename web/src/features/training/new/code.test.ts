// @vitest-environment node
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { specOf } from "./body";
import { restOf, shellOf } from "./code";
import { EMPTY, type Form } from "./form";
import { ALONE } from "./pools";
import { pythonOf } from "./python";
import { requirementsOf } from "./requirements";

const JOB: Form = {
  ...EMPTY,
  name: 'a"b\\',
  how: "package",
  package: "gs://b/p.tar.gz",
  image: "us-docker.pkg.dev/vertex-ai/training/sklearn-cpu.1-6:latest",
  args: `--x "it's, $HOME" 'two\nlines'`,
  env: "A=1,2",
  labels: "team=vision\nstage=test",
  timeout: "2h",
  account: "me@p.iam.gserviceaccount.com",
  pools: [
    { machine: "n1-standard-8", accelerator: "NVIDIA_TESLA_T4", accelerators: 1, replicas: 1 },
    { ...ALONE, replicas: 2 },
  ],
};
const ALIKE = { ...JOB, pools: [ALONE, { ...ALONE, replicas: 2 }] };
const MODEL = { model: "m", serving: "img", output: "gs://b/out" };

describe("gcloud", () => {
  /** What a shell makes of the command: the words, and what it is given to read. */
  const run = (form: Form) =>
    execFileSync("bash", ["-c", `gcloud() { printf '%s\\0' "$@"; cat; }\n${shellOf(form, "p", "l")}`], {
      encoding: "utf8",
    }).split("\0");
  it("is given the job as it is, whatever people typed", () => {
    const words = run(JOB);
    expect(JSON.parse(words.at(-1) ?? "")).toEqual(specOf(JOB));
    expect(words).toContain('--display-name=a"b\\');
    expect(words).toContain("--labels=team=vision,stage=test");
  });
  it.each(["bash", "sh"])("is packed by %s as people typed it, backslashes too", (shell) => {
    const form: Form = { ...EMPTY, name: "n", image: "i", requirements: `\\\\"]);print('x')#` };
    const packing = shellOf(form, "p", "l")
      .split("\n")
      .find((line) => line.endsWith("> setup.py"));
    const said = execFileSync(shell, ["-c", packing?.replace(" > setup.py", "") ?? ""], { encoding: "utf8" });
    expect(said).toContain(`install_requires=${JSON.stringify(requirementsOf(form))})\n`);
  });
  it("packs a script before it sends it", () => {
    const text = shellOf({ ...JOB, how: "script", package: "", requirements: "pandas, gcsfs" }, "p", "l", "mine");
    expect(text).toContain('install_requires=["pandas","gcsfs"]');
    expect(text).toContain("gcloud storage cp dist/trainer_script-0.1.tar.gz gs://mine/console/");
    expect(text).toContain('"gs://mine/console/trainer_script-0.1.tar.gz"');
  });
});

describe("rest", () => {
  it("is the request", () =>
    expect(JSON.parse(restOf(JOB, "p", "l").split("\n").slice(1).join("\n"))).toMatchObject({
      displayName: 'a"b\\',
      labels: { team: "vision", stage: "test" },
    }));
});

describe("python", () => {
  it("quotes what people typed", () => expect(pythonOf(JOB, "p", "l")).toContain('display_name="a\\"b\\\\"'));
  it("uses the class that the SDK has for it", () => {
    expect(pythonOf({ ...ALIKE, ...MODEL }, "p", "l")).toContain("CustomPythonPackageTrainingJob");
    expect(pythonOf({ ...ALIKE, how: "script" }, "p", "l")).toContain("job = aiplatform.CustomJob.from_local_script");
    expect(pythonOf({ ...JOB, ...MODEL }, "p", "l")).toContain("create_training_pipeline");
  });
  it.each([
    ["a job", JOB],
    ["a script on machines alike", { ...ALIKE, how: "script" } as Form],
    ["a script on different machines", { ...JOB, how: "script" } as Form],
    ["a pipeline on machines alike", { ...ALIKE, ...MODEL }],
    ["a pipeline on different machines", { ...JOB, ...MODEL }],
    ["a scripted pipeline on different machines", { ...JOB, ...MODEL, how: "script" } as Form],
  ])("says everything of %s, and is Python", (_, form) => {
    const text = pythonOf(form, "p", "l");
    expect(text).toContain('"team": "vision"');
    expect(text).toContain("me@p.iam.gserviceaccount.com");
    expect(text).toMatch(/timeout=7200|"timeout": "7200s"/);
    if (form.pools === JOB.pools) expect(text).toContain("NVIDIA_TESLA_T4");
    execFileSync("python3", ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], { input: text });
  });
});
