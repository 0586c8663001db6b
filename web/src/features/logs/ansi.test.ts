import { describe, expect, it } from "vitest";
import { lastWritten, pieces } from "./ansi";

const shown = (text: string) =>
  pieces(text)
    .map((one) => one.text)
    .join("");

describe("pieces", () => {
  it("leaves plain text alone, whatever it looks like", () => {
    const hostile = '<img src=x onerror="hacked()"> &amp; </script>';
    expect(pieces(hostile)).toEqual([{ text: hostile, looks: [] }]);
  });

  it("tells colours apart", () => {
    expect(pieces("a \u001b[1;31mred\u001b[0m b\u001b[44m on blue")).toEqual([
      { text: "a ", looks: [] },
      { text: "red", looks: ["red", "bold"] },
      { text: " b", looks: [] },
      { text: " on blue", looks: ["on-blue"] },
    ]);
  });

  it("shows what was to be hidden", () => {
    expect(pieces("\u001b[8msecret\u001b[0m")).toEqual([{ text: "secret", looks: [] }]);
  });

  it("leaves out what moves the cursor, sets titles or links", () => {
    expect(shown("\u001b[2J\u001b[1;1Hx\u001b]0;title\u0007y\u001b]8;;http://evil\u001b\\z\u001b[?25l")).toBe("xyz");
  });

  it("shows control characters and such as turn text around as pictures", () => {
    expect(shown("a\u0000b\u0008c\u007fd\u202ee\u001b")).toBe("a\u2400b\u2408c\u2421d\ufffde\u241b");
  });

  it("keeps tabs, ends of lines and characters beyond the basic plane", () => {
    expect(shown("\ta 🐧\n中文")).toBe("\ta 🐧\n中文");
  });

  it("takes true colours and palettes without breaking", () => {
    expect(shown("\u001b[38;2;1;2;3mx\u001b[38;5;200my\u001b[999mz")).toBe("xyz");
  });
});

describe("lastWritten", () => {
  it("is the line as a terminal leaves it", () => {
    expect(lastWritten("10%\r50%\r100%\r")).toBe("100%");
    expect(lastWritten("plain")).toBe("plain");
    expect(lastWritten("")).toBe("");
  });
});
