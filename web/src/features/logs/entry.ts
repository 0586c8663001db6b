// A line as a person reads it: JSON that a program logs becomes its message and what it carries.
import { lastWritten } from "./ansi";

export interface Read {
  message: string;
  /** names of what it carries beside its message, its severity and its time */
  extras: readonly string[];
  /** the whole object, indented; empty when the line is no object */
  fields: string;
}

const MESSAGES = ["message", "msg", "event"];
/** What a line shows by itself. */
const TOLD = new Set(["severity", "level", "time", "timestamp", "timestampSeconds", "timestampNanos"]);

export function read(text: string): Read {
  const plain = { message: text, extras: [], fields: "" };
  if (!text.startsWith("{") || !text.trimEnd().endsWith("}")) return plain;
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return plain;
  }
  const object = found as Record<string, unknown>;
  const name = MESSAGES.find((one) => typeof object[one] === "string" && object[one] !== "");
  const fields = JSON.stringify(object, null, 2);
  if (name === undefined) return { message: text, extras: [], fields };
  return {
    message: object[name] as string,
    extras: Object.keys(object).filter((one) => one !== name && !TOLD.has(one)),
    fields,
  };
}

/** The beginning of a message as a terminal leaves its lines: at most so many characters and lines. */
export function shortened(message: string, characters: number, lines: number): { text: string; cut: boolean } {
  const all = message.replace(/\s+$/, "").split("\n").map(lastWritten);
  const text = all.slice(0, lines).join("\n");
  return { text: text.slice(0, characters), cut: all.length > lines || text.length > characters };
}
