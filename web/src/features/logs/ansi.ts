// What a program printed, as text that can do nothing: colours become classes, other control characters are shown.
import Anser from "anser";

export interface Piece {
  text: string;
  /** names in Logs.module.css: `red`, `bright-blue`, `on-yellow`, `bold`, ... */
  looks: readonly string[];
}

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const NAMED = new RegExp(`^ansi-((?:bright-)?(?:${COLOURS.join("|")}))$`);
/** Hidden text and text in reverse are shown as any other: a log has no secrets from who reads it. */
const SHOWN = new Set(["bold", "dim", "italic", "underline", "strikethrough"]);
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-ln-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f\ufeff]/g;

/** Take a text apart by its colours. Other sequences are left out; control characters become pictures, but for tabs and
 * ends of lines. */
export function pieces(text: string): Piece[] {
  const found = text.includes("\u001b")
    ? Anser.ansiToJson(text.replace(SEQUENCES, ""), { json: true, use_classes: true, remove_empty: true }).map(
        (one) => ({ text: inert(one.content), looks: looksOf(one.fg, one.bg, one.decorations) }),
      )
    : [{ text: inert(text), looks: [] }];
  return found.filter((one) => one.text !== "");
}

function looksOf(front: string | null, back: string | null, decorations: readonly string[]): string[] {
  const fore = NAMED.exec(front ?? "")?.[1];
  const ground = NAMED.exec(back ?? "")?.[1];
  return [...(fore ? [fore] : []), ...(ground ? [`on-${ground}`] : []), ...decorations.filter((one) => SHOWN.has(one))];
}

function inert(text: string): string {
  return text.replace(CONTROLS, (one) => {
    const code = one.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : "\ufffd";
  });
}

/** What a terminal would show of a line that was written over: what follows its last carriage return. */
export function lastWritten(text: string): string {
  const parts = text.split("\r").filter((one) => one !== "");
  return parts.at(-1) ?? "";
}
