// What the columns of a table are like: kinds, gaps, ranges, distributions.
import { useQuery } from "@tanstack/react-query";
import { ask } from "~/api/client";
import type { ColumnInfo, ProfileInfo } from "~/api/console.gen";
import { Bars, Share } from "~/design/Bars";
import { Notice, Problem, Waiting } from "~/design/Notice";
import { Card, Wide } from "~/design/Page";
import plain from "~/design/plain.module.css";
import { Said } from "~/design/Said";
import { useTexts } from "~/i18n";
import { formatBytes, formatCount, formatNumber } from "~/lib/units";
import css from "./Datasets.module.css";
import { datasetTexts } from "./texts";

const MANY = 10_000;
const MOST_COLUMNS = 500;

export function Columns({ dataset }: { dataset: string }) {
  const say = useTexts(datasetTexts);
  const profile = useQuery({
    queryKey: ["profile", dataset],
    queryFn: ({ signal }) => ask<ProfileInfo>("/datasets/profile", { query: { dataset }, signal }),
    refetchInterval: (query) => (query.state.data?.state === "working" ? 500 : false),
  });
  const data = profile.data;
  return (
    <Card
      title={say("columns")}
      actions={
        data?.state === "ready" && (
          <span className={css.muted}>{`${say("rows", { count: data.rows })} · ${formatBytes(data.bytes)}`}</span>
        )
      }
    >
      {profile.isPending && <Waiting lines={6} height={260} />}
      {profile.isError && <Problem error={profile.error} retry={() => void profile.refetch()} />}
      {data?.state === "working" && (
        <p className={css.muted}>{say("columns.reading", { rows: formatCount(data.rows) })}</p>
      )}
      {data?.state === "failed" && (
        <Notice kind="failed" title={say("columns.failed")}>
          <Said text={data.problem} />
        </Notice>
      )}
      {data?.state === "ready" && (
        <>
          <Table rows={data.rows} columns={data.columns.slice(0, MOST_COLUMNS)} />
          {data.columns.length > MOST_COLUMNS && (
            <p className={css.muted}>{say("columns.first", { count: data.columns.length, shown: MOST_COLUMNS })}</p>
          )}
          {data.cut && <p className={css.muted}>{say("columns.cut", { rows: formatCount(data.rows) })}</p>}
        </>
      )}
    </Card>
  );
}

function Table({ rows, columns }: { rows: number; columns: readonly ColumnInfo[] }) {
  const say = useTexts(datasetTexts);
  return (
    <Wide label={say("columns")}>
      <table className={plain.table}>
        <thead>
          <tr>
            <th>{say("column")}</th>
            <th>{say("values")}</th>
            <th>{say("missing")}</th>
            <th>{say("distinct")}</th>
            <th className={css.roomy}>{say("distribution")}</th>
          </tr>
        </thead>
        <tbody>
          {columns.map((column, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: names may repeat and columns never move
            <tr key={i}>
              <td className={css.name} title={column.name}>
                {column.name}
              </td>
              <td>{say(`type.${column.kind}`)}</td>
              <td>{column.missing ? `${formatNumber((100 * column.missing) / Math.max(1, rows), 2)} %` : "–"}</td>
              <td>{column.distinct >= MANY ? say("many", { count: MANY }) : formatCount(column.distinct)}</td>
              <td className={css.roomy}>
                <Distribution column={column} rows={rows} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}

function Distribution({ column, rows }: { column: ColumnInfo; rows: number }) {
  const say = useTexts(datasetTexts);
  const { low, high } = column;
  if (low !== null && high !== null && column.bins.length > 0 && !(column.distinct <= 6 && column.top.length > 0)) {
    const width = (high - low) / column.bins.length;
    const range = say("range.of", {
      low: formatNumber(low),
      high: formatNumber(high),
      mean: formatNumber(column.mean ?? 0),
      deviation: formatNumber(column.deviation ?? 0),
    });
    return (
      <>
        <Bars
          counts={column.bins}
          label={`${column.name}: ${range}`}
          tellOf={(i, count) =>
            say("bar.of", { count, low: formatNumber(low + i * width), high: formatNumber(low + (i + 1) * width) })
          }
        />
        <small className={css.muted}>{range}</small>
      </>
    );
  }
  return (
    <div className={css.top}>
      {column.top.slice(0, 5).map(({ value, rows: count }) => (
        <Share key={value} label={value} share={count / Math.max(1, rows)} value={formatCount(count)} />
      ))}
    </div>
  );
}
