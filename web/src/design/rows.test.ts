import type { VirtualItem } from "@tanstack/react-virtual";
import { expect, it } from "vitest";
import { next } from "./rows";

const items = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => ({ index: from + at, key: `k${from + at}` }) as VirtualItem);
const keys = (found: readonly VirtualItem[]) => found.map(({ index }) => index);
const drawn = (found: readonly VirtualItem[]) => new Set(found.map(({ key }) => key));

it("draws at once what few new rows there are", () => {
  const about = items(3, 40);
  expect(next(about, drawn(items(0, 35)), { startIndex: 10, endIndex: 30 })).toBe(about);
});

it("draws after a leap the rows in sight first, and all of them in the end", () => {
  const about = items(100, 145);
  const sight = { startIndex: 112, endIndex: 130 };
  let rows = next(about, drawn(items(0, 45)), sight);
  expect(keys(rows)).toEqual(keys(items(112, 122)));
  rows = next(about, drawn(rows), sight);
  expect(keys(rows)).toEqual(keys([...items(100, 101), ...items(112, 131)]));
  for (let frame = 0; frame < 3; frame += 1) rows = next(about, drawn(rows), sight);
  expect(rows).toBe(about);
});
