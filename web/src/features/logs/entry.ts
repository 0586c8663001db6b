// A line as a person reads it: JSON that a program logs becomes its message and what it carries.

export interface Read {
  message: string;
  /** the whole object, indented; empty when the line is no object */
  fields: string;
}

export function read(text: string): Read {
  if (!text.startsWith("{") || !text.trimEnd().endsWith("}")) return { message: text, fields: "" };
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return { message: text, fields: "" };
  }
  const object = found as Record<string, unknown>;
  const message = [object.message, object.msg, object.event].find((one) => typeof one === "string" && one !== "");
  return { message: typeof message === "string" ? message : text, fields: JSON.stringify(object, null, 2) };
}
