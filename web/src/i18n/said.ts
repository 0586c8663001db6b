// Words what the server and the agent say: a sentence is known by its template, and said in the page's language.
import { type Language, language, useLanguage } from "./index";
import { CHINESE } from "./sentences";
import { SENTENCES, type Sentence } from "./sentences.gen";

/** A part of a text. What is foreign is nobody's sentence that we know: it stays as it came, in English most likely. */
export interface Piece {
  text: string;
  foreign: boolean;
}

interface Form {
  known: RegExp;
  fields: readonly string[];
  words: string;
}

const FIELD = /\{(\w+)(:n)?\}/g;
const NUMBER = "-?[\\d.]+(?:e[+-]?\\d+)?";
const MOST_KEPT = 2000;
/** Characters of the longest line that may be a sentence of ours. */
const LONGEST = 4000;

/** The parts of what was said, line by line, in a language. Put together they are the whole text. */
export function said(text: string, to: Language): Piece[] {
  if (to === "en") return [{ text, foreign: false }];
  return text
    .split(/([\n\t]+)/)
    .filter(Boolean)
    .map((line) => {
      const worded = /\S/.test(line) ? sentence(line) : line;
      return { text: worded ?? line, foreign: worded === undefined };
    });
}

/** The same as one text, outside of components. */
export function saidNow(text: string): string {
  return together(said(text, language()));
}

/** The same as one text, for titles and pictures. */
export function useSaid(): (text: string) => string {
  const [now] = useLanguage();
  return (text) => together(said(text, now));
}

const kept = new Map<string, string | undefined>();

function sentence(line: string): string | undefined {
  if (line.length > LONGEST) return undefined;
  if (!kept.has(line)) {
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(line, worded(line.trim()));
  }
  return kept.get(line);
}

function worded(text: string): string | undefined {
  for (const { known, fields, words } of forms()) {
    const found = known.exec(text);
    if (found) {
      const values = new Map(fields.map((field, at) => [field, found[at + 1] ?? ""]));
      return words.replace(FIELD, (_, field: string) => inner(values.get(field) ?? ""));
    }
  }
  return undefined;
}

/** What stands in a field may be a sentence itself: why something could not be done. */
function inner(value: string): string {
  return worded(value) ?? value;
}

let made: readonly Form[] | undefined;

/** The most telling first: of two that fit, the one with more words of its own is meant. */
function forms(): readonly Form[] {
  made ??= (Object.keys(SENTENCES) as Sentence[])
    .sort((one, other) => own(other) - own(one))
    .map((key) => ({ ...read(SENTENCES[key]), words: CHINESE[key] }));
  return made;
}

function own(key: Sentence): number {
  return SENTENCES[key].replace(FIELD, "").length;
}

function read(template: string): Omit<Form, "words"> {
  const fields = [...template.matchAll(FIELD)].map(([, field]) => field ?? "");
  const pattern = template
    .split(/(\{\w+(?::n)?\})/)
    .map((part) => {
      if (!part.startsWith("{")) return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      return part.endsWith(":n}") ? `(${NUMBER})` : "(.+?)";
    })
    .join("");
  return { known: new RegExp(`^${pattern}$`, "s"), fields };
}

function together(pieces: readonly Piece[]): string {
  return pieces.map((piece) => piece.text).join("");
}
