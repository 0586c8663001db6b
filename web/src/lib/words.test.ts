import { describe, expect, it } from "vitest";
import { joinWords, splitWords } from "./words";

describe("words", () => {
  it.each([
    ["--trees 60 --name 'two words'", ["--trees", "60", "--name", "two words"]],
    ['a"b c"d \\  e\\"f', ["ab cd", " ", 'e"f']],
    ["", []],
    ["''", [""]],
  ])("splits %s", (line, words) => expect(splitWords(line)).toEqual(words));

  it("joins what it splits", () => {
    for (const words of [
      ["a b", "it's", '"', "$HOME", "", "x=1", "=ls"],
      ["python3", "-c", "print('x y')\nprint(2)"],
    ]) {
      expect(splitWords(joinWords(words))).toEqual(words);
    }
  });
});
