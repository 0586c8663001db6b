// The first rows of a Parquet file, read by ranges: only the footer and the first pages cross the network.
import { parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { readRange, type StoredObject } from "~/api/storage";
import { cellOf, MOST_COLUMNS, MOST_ROWS, type Sheet } from "./preview";

export async function sheetOfParquet(object: StoredObject): Promise<Sheet> {
  const size = Number(object.size);
  const file = {
    byteLength: size,
    slice: (from: number, to?: number) => readRange(object.bucket, object.name, from, to ?? size),
  };
  const metadata = await parquetMetadataAsync(file);
  const all = parquetSchema(metadata).children.map((child) => child.element.name);
  const columns = all.slice(0, MOST_COLUMNS);
  const total = Number(metadata.num_rows);
  const rows = await parquetReadObjects({ file, metadata, columns, rowEnd: Math.min(MOST_ROWS, total) });
  return {
    columns,
    rows: rows.map((row) => columns.map((column) => cellOf(row[column]))),
    total,
    counted: true,
    width: all.length,
  };
}
