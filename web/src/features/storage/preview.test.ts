import { describe, expect, it } from "vitest";
import { cellOf, kindOf, MOST_COLUMNS, MOST_ROWS, sheetOfCsv, sheetOfLines, textOf } from "./preview";

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
    const wanted = { columns: ["a", "b"], rows: [["1", "x, y"]], total: 2, counted: false, width: 2 };
    expect(sheetOfCsv('a,b\n1,"x, y"\n2,z', 0.5)).toEqual(wanted);
  });
  it("says how many rows there are, and whether that was counted", () => {
    const text = `a\n${"1\n".repeat(333)}`;
    expect(sheetOfCsv(text)).toMatchObject({ total: 333, counted: true });
    expect(sheetOfCsv(text, 0.01)).toMatchObject({ total: 33_000, counted: false });
    expect(sheetOfLines("{}\n{}\n{}\n{", 0.5)).toMatchObject({ total: 6, counted: false });
  });
  it("shows so many columns and rows and no more, however many there are", () => {
    const csv = sheetOfCsv(`${"c,".repeat(100_000)}c\n`.repeat(2));
    expect([csv.columns.length, csv.rows[0]?.length, csv.width]).toEqual([MOST_COLUMNS, MOST_COLUMNS, 100_001]);
    const line = (from: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${from + i}`, 1])));
    const lines = sheetOfLines(Array.from({ length: 300 }, (_, i) => line(i * 100)).join("\n"));
    expect([lines?.columns.length, lines?.rows.length, lines?.width]).toEqual([MOST_COLUMNS, MOST_ROWS, 20_000]);
    expect(lines?.total).toBe(300);
  });
  it("cuts long cells, and has no word for a time that is none", () => {
    expect(cellOf("x".repeat(1_000_000))).toBe(`${"x".repeat(1000)}…`);
    expect(cellOf(new Date(Number.NaN))).toBe("");
  });
  it("puts the columns of different lines together", () => {
    const sheet = sheetOfLines('{"a":1}\n{"b":{"c":[2]}}\n');
    expect(sheet?.rows).toEqual([
      ["1", ""],
      ["", '{"c":[2]}'],
    ]);
    expect(sheetOfLines("no json")).toBeUndefined();
  });
});
