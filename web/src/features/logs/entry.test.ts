import { describe, expect, it } from "vitest";
import { read, shortened } from "./entry";

describe("read", () => {
  it("takes the message out of an object", () => {
    expect(read('{"message": "hi", "step": 3}')).toEqual({
      message: "hi",
      extras: ["step"],
      fields: '{\n  "message": "hi",\n  "step": 3\n}',
    });
  });

  it("shows an object without a message as it is", () => {
    expect(read('{"step": 3}').message).toBe('{"step": 3}');
  });

  it.each(["plain", "{not json}", "[1]", "{", '{"message": '])("leaves %s alone", (text) => {
    expect(read(text)).toEqual({ message: text, extras: [], fields: "" });
  });

  it("does not take a message that is no text", () => {
    expect(read('{"message": {"a": 1}}').message).toBe('{"message": {"a": 1}}');
  });

  it("does not call extra what the line shows anyway", () =>
    expect(read('{"severity":"INFO","msg":"hi","loss":1,"timestamp":"x"}').extras).toEqual(["loss"]));
});

describe("shortened", () => {
  it("keeps the lines of a message and drops what was written over", () =>
    expect(shortened("10%\r20%\ndone\r\n", 100, 9)).toEqual({ text: "20%\ndone", cut: false }));
  it("says that there is more", () => {
    expect(shortened("a\nb\nc", 100, 2)).toEqual({ text: "a\nb", cut: true });
    expect(shortened("abc", 2, 2)).toEqual({ text: "ab", cut: true });
  });
});
