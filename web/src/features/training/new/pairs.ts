// NAME=VALUE, a line each: environment variables and labels as people type them. A value in double quotes is a string of
// JSON, so that any can be written: of several lines, with blanks around it, or in quotes of its own. Pure.

export interface Pair {
  name: string;
  value: string;
}

/** The pairs of a text; lines without an equals sign are none. */
export function pairsOf(text: string): Pair[] {
  return lines(text)
    .filter((line) => line.includes("="))
    .map((line) => ({
      name: line.slice(0, line.indexOf("=")).trim(),
      value: unquoted(line.slice(line.indexOf("=") + 1)),
    }));
}

/** The text that has these pairs, with quotes around the values that need them. */
export function textOfPairs(pairs: readonly { name?: string; value?: string }[]): string {
  return pairs
    .map(({ name = "", value = "" }) => `${name}=${isPlain(value) ? value : JSON.stringify(value)}`)
    .join("\n");
}

/** Whether a value stays as it is without quotes, in a field for text too: that makes line feeds of carriage returns. */
function isPlain(value: string): boolean {
  return value === value.trim() && !/\p{Cc}/u.test(value) && unquoted(value) === value;
}

/** What is no string of JSON is itself. */
function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    const read: unknown = JSON.parse(value);
    return typeof read === "string" ? read : value;
  } catch {
    return value;
  }
}

const KEY = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const VALUE = /^[\p{L}\p{N}_-]{0,63}$/u;

/** Whether every line is a label as the API takes it: lower case, digits, hyphens and underscores. */
export function areLabels(text: string): boolean {
  const pairs = pairsOf(text);
  return pairs.length === lines(text).length && pairs.every(isLabel);
}

function isLabel({ name, value }: Pair): boolean {
  return KEY.test(name) && VALUE.test(value) && value === value.toLowerCase();
}

export function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(pairsOf(text).map(({ name, value }) => [name, value]));
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}
