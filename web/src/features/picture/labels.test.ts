import { describe, expect, it } from "vitest";
import { labelPlaces } from "./labels";
import { route } from "./route";

const box = (x: number, y: number) => ({ x, y, width: 100, height: 40 });

describe("labelPlaces", () => {
  it("keeps the words of ways apart that begin or cross at one place", () => {
    const ends = [0, 1, 2].flatMap((from) => [0, 1].map((to) => [box(0, from * 50), box(500, to * 60)] as const));
    const edges = ends.map(([from, to], at) => ({ id: String(at), told: "293 KiB", way: route("reads", from, to) }));
    const places = [...labelPlaces(edges).values()];
    const near = places.flatMap((one, at) =>
      places.slice(at + 1).filter((other) => Math.abs(one.x - other.x) < 60 && Math.abs(one.y - other.y) < 18),
    );
    expect(near).toEqual([]);
  });

  it("takes the first place where nothing is in the way, also of edges without words", () => {
    const way = route("reads", box(0, 0), box(500, 0));
    const places = labelPlaces([
      { id: "silent", told: "", way },
      { id: "told", told: "1 B", way },
    ]);
    expect(places.get("told")).toEqual(way.places[0]);
  });
});
