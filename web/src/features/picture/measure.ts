// How wide words are about, where nothing can be asked: in files, which know no font until somebody opens them. Pure.

/** Parts of the font's size that a letter takes, on the safe side of what system fonts have. */
const WIDE = 1.02;
const ROOMY = 0.86;
const COMMON = 0.62;
const NARROW = 0.36;

export function widthOf(words: string, size: number): number {
  let width = 0;
  for (const letter of words) width += partOf(letter);
  return width * size;
}

/** The size at which plain words take the room that bold ones take at a size. */
export function boldly(size: number): number {
  return size * 1.1;
}

function partOf(letter: string): number {
  if ((letter.codePointAt(0) ?? 0) >= 0x1100) return WIDE;
  if (/[MWmw@%…]/.test(letter)) return ROOMY;
  return /[iljtf.,:;'!| ()[\]/]/.test(letter) ? NARROW : COMMON;
}

/** Words that take no more than a width; what is left out is said by an ellipsis. */
export function cut(words: string, width: number, size: number): string {
  if (widthOf(words, size) <= width) return words;
  let kept = "";
  let room = width - widthOf("…", size);
  for (const letter of words) {
    room -= partOf(letter) * size;
    if (room < 0) break;
    kept += letter;
  }
  return `${kept.trimEnd()}…`;
}
