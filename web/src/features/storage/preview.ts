// Bytes to something to look at: pure, no network.
import Papa from "papaparse";

export type Kind = "csv" | "json" | "jsonl" | "text" | "image" | "parquet" | "none";

export interface Sheet {
  columns: string[];
  rows: string[][];
  /** rows that there are, shown or not */
  total: number;
  /** whether they were counted; of the beginning of a file their number is concluded from its size */
  counted: boolean;
  /** columns that there are, shown or not */
  width: number;
}

/** Rows and columns that are shown: a page with a million cells answers nobody. */
export const MOST_ROWS = 200;
export const MOST_COLUMNS = 200;
const LONGEST_CELL = 1000;

const BY_NAME: readonly [RegExp, Kind][] = [
  [/\.(csv|tsv)$/i, "csv"],
  [/\.(jsonl|ndjson)$/i, "jsonl"],
  [/\.json$/i, "json"],
  [/\.parquet$/i, "parquet"],
  [/\.(png|jpe?g|gif|webp|bmp|svg|ico)$/i, "image"],
  [/\.(gz|zip|tar|tgz|whl|joblib|pkl|pt|onnx|bin|npy|npz|h5|so|avro|tfrecord)$/i, "none"],
];

/** What kind of preview an object gets, by its name first: content types are often only guessed. */
export function kindOf(name: string, contentType: string): Kind {
  const named = BY_NAME.find(([pattern]) => pattern.test(name));
  if (named) return named[1];
  if (contentType.startsWith("image/")) return "image";
  if (contentType === "application/json") return "json";
  if (contentType === "text/csv") return "csv";
  return "text";
}

/** Bytes as text, undefined when they are none. The last character may have been cut in two. */
export function textOf(bytes: ArrayBuffer): string | undefined {
  const text = new TextDecoder("utf-8").decode(bytes).replace(/�$/, "");
  const strange = text.match(/[\0�]/g)?.length ?? 0;
  return strange > text.length / 100 ? undefined : text;
}

/** How many rows a file has of whose bytes a share holds so many. */
function concluded(rows: number, share: number): Pick<Sheet, "total" | "counted"> {
  if (share >= 1) return { total: rows, counted: true };
  return { total: Math.max(rows, Number((rows / share).toPrecision(2))), counted: false };
}

/** The rows of a CSV, the first as names; `share` is how much of it the text is. A last line that was cut off is left
 * out. */
export function sheetOfCsv(text: string, share = 1): Sheet {
  const whole = share >= 1;
  const parsed = Papa.parse<string[]>(whole ? text : text.slice(0, text.lastIndexOf("\n") + 1), {
    skipEmptyLines: true,
  });
  const [columns = [], ...rows] = parsed.data;
  return {
    columns: columns.slice(0, MOST_COLUMNS),
    rows: rows.slice(0, MOST_ROWS).map((row) => row.slice(0, MOST_COLUMNS)),
    ...concluded(rows.length, share),
    width: columns.length,
  };
}

/** The rows of a file with a JSON object on each line, its columns in the order in which they first appear. */
export function sheetOfLines(text: string, share = 1): Sheet | undefined {
  const lines = text.split("\n").filter((line) => line.trim());
  if (share < 1) lines.pop();
  try {
    const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const shown = objects.slice(0, MOST_ROWS);
    const all = [...new Set(shown.flatMap((one) => Object.keys(one)))];
    const columns = all.slice(0, MOST_COLUMNS);
    const rows = shown.map((one) => columns.map((column) => cellOf(one[column])));
    return { columns, rows, ...concluded(objects.length, share), width: all.length };
  } catch {
    return undefined;
  }
}

export function cellOf(value: unknown): string {
  const text = wordsOf(value);
  return text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL)}…` : text;
}

function wordsOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "" : value.toISOString();
  return typeof value === "object"
    ? JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner))
    : String(value);
}
