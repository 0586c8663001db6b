// Filters of the API's lists (AIP-160), put together from what people choose.

/** A text within double quotes, as a filter takes it. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** Terms that all hold; empty ones are left out. */
export function all(...terms: (string | false | undefined)[]): string {
  return terms.filter(Boolean).join(" AND ");
}

export function any(...terms: (string | false | undefined)[]): string {
  const given = terms.filter(Boolean);
  return given.length > 1 ? `(${given.join(" OR ")})` : given[0] || "";
}

/** Resources whose display name holds a text. */
export function named(text: string | undefined): string | undefined {
  return text?.trim() ? `display_name=${quoted(`*${text.trim()}*`)}` : undefined;
}
