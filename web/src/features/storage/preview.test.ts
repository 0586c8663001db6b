import { describe, expect, it } from "vitest";
import { kindOf, sheetOfCsv, sheetOfLines, textOf } from "./preview";

describe("kindOf", () => {
  it.each([
    ["a/b.csv", "application/octet-stream", "csv"],
    ["model.joblib", "text/plain", "none"],
    ["LICENSE", "text/plain", "text"],
    ["x", "image/png", "image"],
  ])("%s", (name, type, kind) => expect(kindOf(name, type)).toBe(kind));
});

describe("textOf", () => {
  it("keeps text whose last character was cut and refuses bytes", () => {
    const bytes = new TextEncoder().encode("é é");
    expect(textOf(bytes.slice(0, -1).buffer)).toBe("é ");
    expect(textOf(new Uint8Array([0, 1, 2, 255, 0]).buffer)).toBeUndefined();
  });
});

describe("sheets", () => {
  it("reads quoted cells and leaves a cut line out", () => {
    expect(sheetOfCsv('a,b\n1,"x, y"\n2,z', false)).toEqual({ columns: ["a", "b"], rows: [["1", "x, y"]], total: 1 });
  });
  it("puts the columns of different lines together", () => {
    const sheet = sheetOfLines('{"a":1}\n{"b":{"c":[2]}}\n', true);
    expect(sheet?.rows).toEqual([
      ["1", ""],
      ["", '{"c":[2]}'],
    ]);
    expect(sheetOfLines("no json", true)).toBeUndefined();
  });
});
