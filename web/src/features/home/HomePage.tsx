import { Button, Progress } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Check, TriangleAlert } from "lucide-react";
import { ask } from "~/api/client";
import type { Capacity, Finding, HomeInfo, RunItem } from "~/api/console.gen";
import { useProject } from "~/api/session";
import { Code } from "~/design/Copy";
import { Problem, Waiting } from "~/design/Notice";
import { Card, Page } from "~/design/Page";
import { Said } from "~/design/Said";
import { State } from "~/design/State";
import { Ago, Took } from "~/design/Time";
import { useTexts } from "~/i18n";
import { useSaid } from "~/i18n/said";
import { formatBytes, formatCount, formatNumber } from "~/lib/units";
import css from "./Home.module.css";
import { homeTexts } from "./texts";

export function HomePage() {
  const say = useTexts(homeTexts);
  const project = useProject(useParams({ strict: false }).project);
  const home = useQuery({
    queryKey: ["of-project", "home", project.id],
    queryFn: ({ signal }) => ask<HomeInfo>("/home", { query: { project: project.id }, signal }),
    refetchInterval: 3000,
    placeholderData: keepPreviousData,
  });
  const info = home.data;
  return (
    <Page title={say("title")} lead={info && COUNTED.map((one) => say(one, { count: info[one] })).join(" · ")}>
      {home.isPending && <Waiting lines={8} />}
      {home.isError && !info && <Problem error={home.error} retry={() => void home.refetch()} />}
      {info && (
        <>
          {info.runs === 0 && <Guide />}
          <div className={css.grid}>
            <div className={css.column}>
              <Card
                title={say("active")}
                actions={<Link to={`/projects/${project.id}/training` as "/"}>{say("all")}</Link>}
              >
                {info.active.length === 0 && <p className={css.muted}>{say("active.none")}</p>}
                <Runs runs={info.active} />
              </Card>
              <Card title={say("failed")}>
                {info.failed.length === 0 && <p className={css.muted}>{say("failed.none")}</p>}
                <Runs runs={info.failed} />
              </Card>
              {info.recent.length > 0 && (
                <Card title={say("recent")}>
                  <Runs runs={info.recent} />
                </Card>
              )}
            </div>
            <div className={css.column}>
              <Card title={say("machine")}>
                <Machine capacity={info.capacity} />
              </Card>
              <Card title={say("findings")}>
                <Findings findings={info.findings} />
              </Card>
            </div>
          </div>
        </>
      )}
    </Page>
  );
}

const COUNTED = ["runs", "datasets", "models", "buckets"] as const;

function Runs({ runs }: { runs: readonly RunItem[] }) {
  const words = useSaid();
  return (
    <ul className={css.runs}>
      {runs.map((run) => (
        <li key={run.name}>
          <State state={run.state} />
          <span className={css.run}>
            <Link to={`/${run.name}` as "/"} title={run.title}>
              {run.title}
            </Link>
            {(run.cause || run.reason) && (
              <small
                className={run.cause ? css.cause : css.muted}
                title={run.printed ? run.cause : words(run.cause || run.reason)}
              >
                <Said text={run.cause || run.reason} printed={run.printed} />
              </small>
            )}
          </span>
          <span className={css.muted}>
            {run.ended ? <Ago at={run.ended} /> : <Took from={run.started || run.created} to={0} />}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Machine({ capacity }: { capacity: Capacity }) {
  const say = useTexts(homeTexts);
  const of = (used: number, all: number) => say("used.of", { used: formatBytes(used), all: formatBytes(all) });
  const rows = [
    {
      key: "cpu" as const,
      share: capacity.cpuShare,
      text: say("cpu.of", {
        share: `${Math.round(100 * capacity.cpuShare)} %`,
        cpus: capacity.cpus,
        load: formatNumber(capacity.load, 2),
      }),
    },
    {
      key: "memory" as const,
      share: capacity.memoryUsed / capacity.memoryBytes,
      text: of(capacity.memoryUsed, capacity.memoryBytes),
    },
    {
      key: "disk" as const,
      share: capacity.diskUsed / capacity.diskBytes,
      text: of(capacity.diskUsed, capacity.diskBytes),
    },
    {
      key: "replicas" as const,
      share: capacity.replicas / Math.max(1, capacity.replicasAtOnce),
      text: say("replicas.of", { n: capacity.replicas, most: capacity.replicasAtOnce }),
    },
    {
      key: "vcpus" as const,
      share: capacity.vcpus / Math.max(1, capacity.vcpuQuota),
      text: say("vcpus.of", { n: capacity.vcpus, quota: formatCount(capacity.vcpuQuota) }),
    },
  ];
  return (
    <dl className={css.machine}>
      {rows.map(({ key, share, text }) => (
        <div key={key}>
          <dt>{say(key)}</dt>
          <dd>
            <Progress
              value={Math.min(100, 100 * share)}
              color={share > 0.92 ? "red" : "blue"}
              aria-label={`${say(key)}: ${text}`}
            />
            <small className={css.muted}>{text}</small>
          </dd>
        </div>
      ))}
      <div>
        <dt>{say("queue")}</dt>
        <dd>{formatCount(capacity.waiting)}</dd>
      </div>
    </dl>
  );
}

function Findings({ findings }: { findings: readonly Finding[] }) {
  const say = useTexts(homeTexts);
  if (findings.length === 0) return <p className={css.muted}>{say("findings.wait")}</p>;
  const nameOf = (name: string) => {
    const key = `finding.${name}`;
    return (homeTexts.keys as readonly string[]).includes(key) ? say(key as "finding.disk") : name;
  };
  return (
    <ul className={css.findings}>
      {findings.map((one) => (
        <li key={one.name} data-works={one.works}>
          {one.works ? <Check size={16} aria-hidden /> : <TriangleAlert size={16} aria-hidden />}
          <span>
            {say("finding", { name: nameOf(one.name) })}
            <Said text={one.seen} />
            {!one.works && (
              <small className={css.muted}>
                <Said text={one.otherwise} />
              </small>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Guide() {
  const say = useTexts(homeTexts);
  const [hidden, hide] = useLocalStorage({ key: "trigpoint.guide.hidden", defaultValue: false });
  if (hidden) return null;
  return (
    <Card
      title={say("guide.title")}
      actions={
        <Button size="compact-sm" variant="subtle" onClick={() => hide(true)}>
          {say("guide.hide")}
        </Button>
      }
    >
      <p>{say("guide.text")}</p>
      <ol className={css.steps}>
        <li>
          {say("guide.1")}
          <Code text="make demo" label={say("guide.1")} />
        </li>
        <li>
          {say("guide.2")}
          <Code text="trig run -- python your_script.py" label={say("guide.2")} />
        </li>
        <li>{say("guide.3")}</li>
      </ol>
    </Card>
  );
}
