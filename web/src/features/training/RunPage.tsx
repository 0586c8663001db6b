// One run: its picture first, then what happened, its logs, what it used, and what was asked for.
import { Tabs } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { ask } from "~/api/client";
import type { RunDetails } from "~/api/console.gen";
import { ApiError } from "~/api/problems";
import { useSession } from "~/api/session";
import { useAddress } from "~/design/address";
import { Code } from "~/design/Copy";
import { Labels } from "~/design/Labels";
import { Problem, Waiting } from "~/design/Notice";
import { Card, Page } from "~/design/Page";
import { Said } from "~/design/Said";
import { isOver, State } from "~/design/State";
import { Took } from "~/design/Time";
import { useTexts } from "~/i18n";
import { idOf } from "~/lib/names";
import { Actions } from "./Actions";
import { Overview } from "./Overview";
import css from "./Training.module.css";
import { trainingTexts } from "./texts";

const PictureView = lazy(() => import("~/features/picture").then((one) => ({ default: one.PictureView })));
const LogView = lazy(() => import("~/features/logs").then((one) => ({ default: one.LogView })));
const UsageView = lazy(() => import("~/features/usage").then((one) => ({ default: one.UsageView })));

const TABS = ["picture", "overview", "logs", "usage", "spec"] as const;

export function RunPage() {
  const say = useTexts(trainingTexts);
  const { role } = useSession();
  const params = useParams({ strict: false }) as Record<string, string>;
  const collection = location.pathname.includes("/trainingPipelines/") ? "trainingPipelines" : "customJobs";
  const name = `projects/${params.project}/locations/${params.location}/${collection}/${params.id}`;
  const [address, change] = useAddress();
  const details = useQuery({
    queryKey: ["of-project", "run", name],
    queryFn: ({ signal }) => ask<RunDetails>("/run", { query: { run: name }, signal }),
    placeholderData: keepPreviousData,
    // A viewer hears no facts of the project; a run that is over changes no more.
    refetchInterval: (query) =>
      role === "viewer" && !isOver(query.state.data?.run.state ?? "") && !query.state.error ? 2000 : false,
  });
  const run = details.data?.run;
  const gone = details.error instanceof ApiError;
  const tab = TABS.find((one) => one === address.tab) ?? "picture";
  return (
    <Page
      title={run?.title ?? idOf(name)}
      crumbs={role === "owner" ? [{ label: say("title"), to: `/projects/${params.project}/training` }] : []}
      aside={run && <State state={run.state} />}
      lead={run && <Lead details={details.data as RunDetails} />}
      actions={details.data && !gone && role === "owner" && <Actions details={details.data} />}
      full
    >
      {details.isPending && <Waiting lines={6} />}
      {details.isError && (gone || !run) && <Problem error={details.error} retry={() => void details.refetch()} />}
      {details.data && run && (
        <Tabs
          value={tab}
          onChange={(next) => change({ tab: next ?? "" }, true)}
          keepMounted={false}
          classNames={{ root: css.tabs ?? "", panel: css.panel ?? "" }}
        >
          <Tabs.List>
            {TABS.map((one) => (
              <Tabs.Tab key={one} value={one}>
                {say(one)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value={tab}>
            <Suspense fallback={<Waiting lines={6} height={400} />}>
              {tab === "picture" && <PictureView run={run.name} started={run.started} ended={run.ended} />}
              {tab === "overview" && <Overview details={details.data} onLogs={() => change({ tab: "logs" }, true)} />}
              {tab === "logs" && run.job && <LogView job={run.job} tasks={tasksOf(details.data)} />}
              {tab === "usage" && run.job && <UsageView job={run.job} over={isOver(run.state)} />}
              {tab === "spec" && <Specification details={details.data} />}
            </Suspense>
          </Tabs.Panel>
        </Tabs>
      )}
    </Page>
  );
}

function Lead({ details: { run } }: { details: RunDetails }) {
  return (
    <>
      <Took from={run.started || run.created} to={run.ended} />
      {run.reason && (
        <>
          {" · "}
          <Said text={run.reason} />
        </>
      )}
      {run.cause && (
        <span className={run.state.endsWith("FAILED") ? css.cause : undefined}>
          {" · "}
          <Said text={run.cause} printed={run.printed} />
        </span>
      )}{" "}
      <Labels labels={run.labels} />
    </>
  );
}

function tasksOf(details: RunDetails): string[] {
  return [...new Set(details.replicas.map((one) => one.task))];
}

function Specification({ details }: { details: RunDetails }) {
  const say = useTexts(trainingTexts);
  return (
    <div className={css.column}>
      {(
        [
          ["pipeline", details.pipeline],
          ["job", details.job],
        ] as const
      ).map(
        ([key, resource]) =>
          resource && (
            <Card key={key} title={say(key)}>
              <Code text={JSON.stringify(resource, null, 2)} label={`${say(key)}: ${say("json")}`} />
            </Card>
          ),
      )}
    </div>
  );
}
