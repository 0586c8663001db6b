// Words as a shell takes them apart and puts them together, as far as arguments need it.

/** The words of a line; single and double quotes and backslashes keep spaces together. */
export function splitWords(line: string): string[] {
  const found: string[] = [];
  const pattern = /(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs;
  for (const [word] of line.matchAll(pattern)) found.push(unquoted(word));
  return found;
}

function unquoted(word: string): string {
  return word.replace(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_, escaped, double, single) =>
    escaped !== undefined ? escaped : double !== undefined ? double.replace(/\\(.)/gs, "$1") : single,
  );
}

/** Words as one line that a shell takes apart into the same words; zsh looks up what begins with an equals sign. */
export function joinWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`))
    .join(" ");
}
