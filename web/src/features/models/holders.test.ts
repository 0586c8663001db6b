import { describe, expect, it } from "vitest";
import { loserOf, newestFirst } from "./holders";

const FIRST = { versionId: "2", versionAliases: ["default", "prod"] };
const SECOND = { versionId: "10" };

describe("aliases", () => {
  it("are taken from the version that has them", () => {
    expect(loserOf(" prod ", [FIRST, SECOND], SECOND)).toBe("2");
    expect(loserOf("prod", [FIRST, SECOND], FIRST)).toBeUndefined();
    expect(loserOf("canary", [FIRST, SECOND], SECOND)).toBeUndefined();
    expect(loserOf("", [FIRST, SECOND], SECOND)).toBeUndefined();
  });
  it("belong to versions that are ordered as numbers", () =>
    expect(newestFirst([FIRST, SECOND])).toEqual([SECOND, FIRST]));
});
