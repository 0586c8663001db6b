// Words what the server and the agent say: a sentence is known by its template, and said in the page's language.
import { type Catalogue, catalogue } from "./catalogue";
import { type Language, language, useLanguage } from "./index";
import type { Sentence } from "./sentences.gen";

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
/** A field or a value and what is wrong with it, as Cloud Storage's API says it. */
const NAMED = /^([A-Za-z][\w.[\]-]*|'.*?'|".*?"): (.+)$/s;
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
  const known = catalogue();
  if (!known) return undefined;
  if (!kept.has(line)) {
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(line, worded(line.trim(), forms(known)));
  }
  return kept.get(line);
}

/** A sentence whose first words are a value would take what another one puts before it for a part of that value. */
function worded(text: string, all: Forms): string | undefined {
  return fitted(text, all.firm, all) ?? named(text, all) ?? fitted(text, all.loose, all);
}

function fitted(text: string, some: readonly Form[], all: Forms): string | undefined {
  for (const { known, fields, words } of some) {
    const found = known.exec(text);
    if (found) {
      const values = new Map(fields.map((field, at) => [field, found[at + 1] ?? ""]));
      return words.replace(FIELD, (_, field: string) => inner(values.get(field) ?? "", all));
    }
  }
  return undefined;
}

function named(text: string, all: Forms): string | undefined {
  const [, name, wrong] = NAMED.exec(text) ?? [];
  const why = wrong && worded(wrong, all);
  return why && `${name}：${why}`;
}

/** What stands in a field may be a sentence itself: why something could not be done. */
function inner(value: string, all: Forms): string {
  return worded(value, all) ?? value;
}

/** Those that begin with words of their own or a number, and those that begin with anything. */
interface Forms {
  firm: readonly Form[];
  loose: readonly Form[];
}

let made: Forms | undefined;

/** The most telling first: of two that fit, the one with more words of its own is meant. */
function forms({ templates, words }: Catalogue): Forms {
  const own = (key: Sentence) => templates[key].replace(FIELD, "").length;
  const sorted = (some: Sentence[]) =>
    some.sort((one, other) => own(other) - own(one)).map((key) => ({ ...read(templates[key]), words: words[key] }));
  const keys = Object.keys(templates) as Sentence[];
  const begins = (key: Sentence) => /^\{\w+\}/.test(templates[key]);
  made ??= { firm: sorted(keys.filter((key) => !begins(key))), loose: sorted(keys.filter(begins)) };
  return made;
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
