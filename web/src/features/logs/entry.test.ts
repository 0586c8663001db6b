import { describe, expect, it } from "vitest";
import { read } from "./entry";

describe("read", () => {
  it("takes the message out of an object", () => {
    expect(read('{"message": "hi", "step": 3}')).toEqual({
      message: "hi",
      fields: '{\n  "message": "hi",\n  "step": 3\n}',
    });
  });

  it("shows an object without a message as it is", () => {
    expect(read('{"step": 3}').message).toBe('{"step": 3}');
  });

  it.each(["plain", "{not json}", "[1]", "{", '{"message": '])("leaves %s alone", (text) => {
    expect(read(text)).toEqual({ message: text, fields: "" });
  });

  it("does not take a message that is no text", () => {
    expect(read('{"message": {"a": 1}}').message).toBe('{"message": {"a": 1}}');
  });
});
