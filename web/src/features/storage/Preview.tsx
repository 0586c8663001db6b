// What is in an object, as far as a page can show it: text, JSON, tables, images. Nothing of it is ever run.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { readRange, readStart, type StoredObject } from "~/api/storage";
import { Code } from "~/design/Copy";
import { Problem, Waiting } from "~/design/Notice";
import { Wide } from "~/design/Page";
import { useTexts } from "~/i18n";
import { formatBytes } from "~/lib/units";
import css from "./Objects.module.css";
import { kindOf, type Sheet, sheetOfCsv, sheetOfLines, textOf } from "./preview";
import { storageTexts } from "./texts";

const MOST = 256 << 10;
const MOST_IMAGE = 16 << 20;

export function Preview({ object }: { object: StoredObject }) {
  const say = useTexts(storageTexts);
  const kind = kindOf(object.name, object.contentType ?? "");
  if (kind === "image") return <ImagePreview object={object} />;
  if (kind === "parquet") return <ParquetPreview object={object} />;
  if (object.size === "0") return <p className={css.hint}>{say("preview.empty")}</p>;
  if (kind === "none") return <p className={css.hint}>{say("preview.none")}</p>;
  return <TextPreview object={object} kind={kind} />;
}

function TextPreview({ object, kind }: { object: StoredObject; kind: "csv" | "json" | "jsonl" | "text" }) {
  const say = useTexts(storageTexts);
  const start = useQuery({
    queryKey: ["start", object.bucket, object.name, object.generation],
    queryFn: ({ signal }) => readStart(object.bucket, object.name, MOST, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (start.isPending) return <Waiting lines={8} height={320} />;
  if (start.isError) return <Problem error={start.error} retry={() => void start.refetch()} />;
  const share = MOST / Number(object.size);
  const whole = share >= 1;
  const text = textOf(start.data);
  if (text === undefined) return <p className={css.hint}>{say("preview.binary")}</p>;
  const sheet = kind === "csv" ? sheetOfCsv(text, share) : kind === "jsonl" ? sheetOfLines(text, share) : undefined;
  return (
    <>
      {sheet ? (
        <SheetView sheet={sheet} />
      ) : (
        <Code text={kind === "json" && whole ? pretty(text) : text} label={object.name} />
      )}
      {!whole && !sheet && (
        <p className={css.hint}>
          {say("preview.cut", { size: formatBytes(MOST), whole: formatBytes(Number(object.size)) })}
        </p>
      )}
    </>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function ImagePreview({ object }: { object: StoredObject }) {
  const say = useTexts(storageTexts);
  const tooBig = Number(object.size) > MOST_IMAGE;
  const bytes = useQuery({
    queryKey: ["image", object.bucket, object.name, object.generation],
    queryFn: ({ signal }) => readRange(object.bucket, object.name, 0, Number(object.size), signal),
    staleTime: Number.POSITIVE_INFINITY,
    enabled: !tooBig,
  });
  const [url, setUrl] = useState("");
  useEffect(() => {
    if (!bytes.data) return;
    // An image of vectors could hold script: as an <img> it is drawn and never run.
    const made = URL.createObjectURL(new Blob([bytes.data], { type: object.contentType ?? "image/png" }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes.data, object.contentType]);
  if (tooBig) return <p className={css.hint}>{say("preview.none")}</p>;
  if (bytes.isError) return <Problem error={bytes.error} retry={() => void bytes.refetch()} />;
  return url ? <img src={url} alt={object.name} className={css.image} /> : <Waiting height={240} />;
}

function ParquetPreview({ object }: { object: StoredObject }) {
  const say = useTexts(storageTexts);
  const sheet = useQuery({
    queryKey: ["parquet", object.bucket, object.name, object.generation],
    queryFn: async () => (await import("./parquet")).sheetOfParquet(object),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  if (sheet.isPending) return <Waiting lines={8} height={320} />;
  if (sheet.isError) {
    const reason = String((sheet.error as Error).message);
    return <p className={css.hint}>{say("preview.broken", { kind: "Parquet", reason })}</p>;
  }
  return <SheetView sheet={sheet.data} />;
}

function SheetView({ sheet }: { sheet: Sheet }) {
  const say = useTexts(storageTexts);
  return (
    <>
      <Wide className={css.sheet} label={say("preview")}>
        <table>
          <thead>
            <tr>
              {sheet.columns.map((column, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns may have the same name and never move
                <th key={i}>{column}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sheet.rows.map((row, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have no name and never move
              <tr key={i}>
                {row.map((cell, j) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: cells have no name and never move
                  <td key={j} title={cell}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Wide>
      <p className={css.hint}>
        {say(rowsTold(sheet), { count: sheet.total, shown: sheet.rows.length, columns: sheet.width })}
        {sheet.width > sheet.columns.length && ` · ${say("preview.columns", { shown: sheet.columns.length })}`}
      </p>
    </>
  );
}

function rowsTold({ rows, total, counted }: Sheet): "preview.table" | "preview.first" | "preview.about" {
  if (!counted) return "preview.about";
  return rows.length < total ? "preview.first" : "preview.table";
}
