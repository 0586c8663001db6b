// What the replicas of a job used over time.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ask } from "~/api/client";
import type { Series, Usage } from "~/api/console.gen";
import { Empty, Problem, Waiting } from "~/design/Notice";
import { Card } from "~/design/Page";
import { type Line, Plot } from "~/design/Plot";
import { useTexts } from "~/i18n";
import { formatBytes, formatNumber } from "~/lib/units";
import { usageTexts } from "./texts";
import css from "./Usage.module.css";

const METRICS = ["cpu", "memory", "diskRead", "diskWritten", "received", "sent", "processes"] as const;
const BYTES = { kind: "bytes", tell: formatBytes } as const;
const TOLD = {
  cpu: { kind: "number", tell: (value: number) => formatNumber(value) },
  processes: { kind: "count", tell: (value: number) => formatNumber(value) },
  memory: BYTES,
  diskRead: BYTES,
  diskWritten: BYTES,
  received: BYTES,
  sent: BYTES,
} as const satisfies Record<Series["metric"], unknown>;

export function UsageView({ job, over }: { job: string; over: boolean }) {
  const say = useTexts(usageTexts);
  const usage = useQuery({
    queryKey: ["usage", job],
    queryFn: ({ signal }) => ask<Usage>("/usage", { query: { job }, signal }),
    refetchInterval: over ? false : 2000,
  });
  const plots = useMemo(() => (usage.data ? plotsOf(usage.data, say) : []), [usage.data, say]);
  if (usage.isPending) return <Waiting lines={8} height={400} />;
  if (usage.isError) return <Problem error={usage.error} retry={() => void usage.refetch()} />;
  if (plots.length === 0) return <Empty title={say("none")} />;
  return (
    <div className={css.plots}>
      {plots.map(({ metric, lines }) => (
        <Card key={metric}>
          <Plot label={say(metric)} lines={lines} {...TOLD[metric]} group={job} />
        </Card>
      ))}
    </div>
  );
}

function plotsOf(usage: Usage, say: (key: "attempt", options: Record<string, unknown>) => string) {
  const attempts = new Set(usage.replicas.map((one) => one.attempt)).size;
  return METRICS.map((metric) => ({
    metric,
    lines: usage.replicas.flatMap((replica): Line[] =>
      replica.series
        .filter((one) => one.metric === metric)
        .map(({ times, values }) => ({
          label: attempts > 1 ? say("attempt", { task: replica.task, n: replica.attempt }) : replica.task,
          times,
          values,
        })),
    ),
  })).filter(({ lines }) => lines.length > 0);
}
