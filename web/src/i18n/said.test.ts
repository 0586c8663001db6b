import { beforeAll, expect, test } from "vitest";
import { loadCatalogue } from "./catalogue";
import { said } from "./said";
import { CHINESE } from "./sentences";
import { SENTENCES, type Sentence } from "./sentences.gen";

const FIELD = /\{(\w+)(:n)?\}/g;
beforeAll(() => loadCatalogue("zh"));

const KEYS = Object.keys(SENTENCES) as Sentence[];

const filled = (template: string, values: Map<string, string>) =>
  template.replace(FIELD, (_, field: string) => values.get(field) ?? "?");

test.each(KEYS)("%s is known by its template and said in Chinese", (key) => {
  const fields = [...SENTENCES[key].matchAll(FIELD)];
  const values = new Map(fields.map(([, field, number], at) => [field ?? "", number ? `${at + 3}` : `x-${at}/y`]));
  expect(said(filled(SENTENCES[key], values), "zh")).toEqual([{ text: filled(CHINESE[key], values), foreign: false }]);
});

test.each(KEYS)("%s is said of a field too", (key) => {
  const fields = [...SENTENCES[key].matchAll(FIELD)];
  const values = new Map(fields.map(([, field, number], at) => [field ?? "", number ? `${at + 3}` : `'x-${at}/y'`]));
  const [english, chinese] = [filled(SENTENCES[key], values), filled(CHINESE[key], values)];
  const texts = (text: string) => said(text, "zh").map((one) => one.text);
  expect(texts(`2.Field: filter; Message: ${english}`)).toEqual([`2. 字段 filter：${chinese}`]);
  expect(texts(`versioning.enabled: ${english}`)).toEqual([`versioning.enabled：${chinese}`]);
  expect(texts(`1.Field: filter; Message: At character 7: ${english}.`)).toEqual([
    `1. 字段 filter：第 7 个字符处：${chinese}。`,
  ]);
});

test.each(KEYS)("%s says the same things in both languages", (key) => {
  const told = (text: string) => [...text.matchAll(FIELD)].map(([, field]) => field).sort();
  expect(told(CHINESE[key])).toEqual(told(SENTENCES[key]));
  expect(CHINESE[key]).toMatch(/[\u4e00-\u9fff]/);
});

test("a sentence within another is said too, and the programs' own words stay", () => {
  const step = "Building the environment of host/image:latest: Installed 53 packages in 1.20s, compiling";
  expect(said(step, "zh")).toEqual([
    { text: "正在构建 host/image:latest 的运行环境：已安装 53 个软件包，用时 1.20s，正在编译", foreign: false },
  ]);
  const failed =
    "The replica workerpool0-0 exited with a non-zero status of 1. Termination reason: Error. \nKeyError: 'x'";
  expect(said(failed, "zh")).toEqual([
    { text: "副本 workerpool0-0 以非零状态 1 退出。终止原因：Error。", foreign: false },
    { text: "\n", foreign: false },
    { text: "KeyError: 'x'", foreign: true },
  ]);
  expect(said(failed, "en")).toEqual([{ text: failed, foreign: false }]);
});

test("what is wrong with each field of a request is said", () => {
  const text =
    "List of found errors:\t1.Field: custom_job.display_name; Message: Display name is required: give one of 1 to 128 characters.\t";
  expect(said(text, "zh").map((piece) => piece.text)).toEqual([
    "发现以下错误：",
    "\t",
    "1. 字段 custom_job.display_name：必须填写显示名称：长度为 1 到 128 个字符。",
    "\t",
  ]);
});

test("a problem with a name before it is said with that name, and one that nobody knows is not", () => {
  const [named] = said("name: the bucket name 'x' must have 3 to 63 characters (222 with dots)", "zh");
  expect(named?.text).toBe("name：存储桶名称 'x' 必须有 3 到 63 个字符（含点时为 222 个）");
  const [quoted] = said("name: 'a\\nb': the object name must not hold line breaks", "zh");
  expect(quoted?.text).toBe("name：'a\\nb'：对象名称不能含有换行符");
  expect(said("ValueError: no rows", "zh")).toEqual([{ text: "ValueError: no rows", foreign: true }]);
});
