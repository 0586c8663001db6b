// What happened in a run, in words: why it failed, the steps it took, what it is made of, its replicas.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { EventInfo, ReplicaInfo, RunDetails } from "~/api/console.gen";
import { useSession } from "~/api/session";
import type { CustomJob, TrainingPipeline, WorkerPoolSpec } from "~/api/vertex.gen";
import { Id } from "~/design/Copy";
import { type Fact, Facts } from "~/design/Facts";
import { Named } from "~/design/Named";
import { Card, Wide } from "~/design/Page";
import plain from "~/design/plain.module.css";
import { Said } from "~/design/Said";
import { endState, outcomeNow, State } from "~/design/State";
import { Ago } from "~/design/Time";
import { useTexts } from "~/i18n";
import { idOf, methodOf, pageOf } from "~/lib/names";
import { formatClock, formatInstant } from "~/lib/times";
import { joinWords } from "~/lib/words";
import { Failure } from "./Failure";
import css from "./Training.module.css";
import { trainingTexts } from "./texts";

export function Overview({ details, onLogs }: { details: RunDetails; onLogs: () => void }) {
  const say = useTexts(trainingTexts);
  return (
    <div className={css.grid}>
      <div className={css.column}>
        {details.failure && <Failure failure={details.failure} onLogs={onLogs} />}
        <Card title={say("timeline")}>
          <Timeline events={details.timeline} />
        </Card>
      </div>
      <div className={css.column}>
        <Card>
          <About details={details} />
        </Card>
      </div>
      <Replicas replicas={details.replicas} />
    </div>
  );
}

const WITH_WORDS = new Set<string>(trainingTexts.keys.filter((key) => key.startsWith("event.")));

function Timeline({ events }: { events: readonly EventInfo[] }) {
  const say = useTexts(trainingTexts);
  return (
    <ol className={css.timeline}>
      {events.map((event) => {
        const data = event.data as Record<string, string | undefined>;
        const key = `event.${event.kind}`;
        const text = WITH_WORDS.has(key)
          ? say(key as "event.customJob.running", { ...data, reason: outcomeNow(data.reason ?? "") })
          : (data.log ?? event.kind);
        const more = data.reason && event.kind !== "replica.ended" ? data.reason : (data.detail ?? data.error);
        return (
          <li key={event.seq} data-where={event.where}>
            <time dateTime={new Date(event.time / 1000).toISOString()} title={formatInstant(event.time)}>
              {formatClock(event.time, true)}
            </time>
            <span>
              {text}
              {more && (
                <small>
                  <Said text={more.split("\n")[0] ?? ""} />
                </small>
              )}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function About({ details }: { details: RunDetails }) {
  const say = useTexts(trainingTexts);
  const { run } = details;
  const pipeline = details.pipeline as TrainingPipeline | null;
  const job = details.job as CustomJob | null;
  const spec = job?.jobSpec ?? (pipeline?.trainingTaskInputs as CustomJob["jobSpec"]);
  const created = details.timeline.find((event) => event.kind.endsWith(".created"));
  const client = (created?.data.client ?? {}) as Record<string, string | undefined>;
  const replica = details.replicas[0];
  const parent = run.name.split("/").slice(0, 4).join("/");
  const dataset = pipeline?.inputDataConfig?.datasetId && `${parent}/datasets/${pipeline.inputDataConfig.datasetId}`;
  const model = pipeline?.modelToUpload?.name && `${pipeline.modelToUpload.name}@${pipeline.modelToUpload.versionId}`;
  const output = spec?.baseOutputDirectory?.outputUriPrefix;
  return (
    <Facts
      facts={[
        [say("created"), <Ago key="created" at={run.created} />],
        [say("started"), run.started ? <Ago key="started" at={run.started} /> : ""],
        [say("ended"), run.ended ? <Ago key="ended" at={run.ended} /> : ""],
        [say("by"), created?.actor],
        [
          say("method"),
          [methodOf(client.method ?? ""), client.library, client.environment].filter(Boolean).join(" · "),
        ],
        [say("dataset"), dataset && <Resource key="dataset" name={dataset} />],
        ...poolFacts(spec?.workerPoolSpecs?.[0], say),
        [say("output"), output && <Place key="output" uri={`${output.replace(/\/$/, "")}/`} />],
        [say("model"), model && <Resource key="model" name={model} title={pipeline?.modelToUpload?.displayName} />],
        [say("account"), replica?.account],
        [say("tenant"), replica?.tenant],
        [
          say("pipeline"),
          pipeline && <Called key="pipeline" name={pipeline.name ?? ""} title={pipeline.displayName} />,
        ],
        [say("job"), run.job && <Called key="job" name={run.job} title={job?.displayName} />],
      ]}
    />
  );
}

function poolFacts(
  pool: WorkerPoolSpec | undefined,
  say: (key: "image" | "package" | "args" | "code") => string,
): Fact[] {
  if (!pool) return [];
  const { pythonPackageSpec: python, containerSpec: container } = pool;
  const uris = python?.packageUris ?? [];
  const args = python?.args ?? container?.args ?? [];
  const facts: Fact[] = [
    [say("image"), python?.executorImageUri ?? container?.imageUri],
    [
      say("code"),
      python?.pythonModule ??
        (container?.command?.length && <Program key="code" text={joinWords(container.command)} />),
    ],
    [say("package"), uris.length > 0 && uris.map((uri): ReactNode => <Place key={uri} uri={uri} />)],
    [say("args"), args.length > 0 && <Program key="args" text={joinWords(args)} />],
  ];
  return facts.filter(([, value]) => !!value);
}

/** What a resource is called, and the id that programs know it by. */
function Called({ name, title }: { name: string; title: string | undefined }) {
  return (
    <>
      {title && <div>{title}</div>}
      <Id text={name} shown={idOf(name)} />
    </>
  );
}

/** A command may be a whole program. */
function Program({ text }: { text: string }) {
  return (
    <code className={css.program} title={text}>
      {text}
    </code>
  );
}

/** A read-only link shows its run and nothing else: to its viewers other things are words. */
function Place({ uri }: { uri: string }) {
  const { role } = useSession();
  return role === "owner" ? <Link to={pageOf(uri) as "/"}>{uri}</Link> : <span>{uri}</span>;
}

function Resource({ name, title }: { name: string; title?: string | undefined }) {
  const { role } = useSession();
  return role === "owner" ? <Named name={name} /> : <span>{title ?? idOf(name)}</span>;
}

function Replicas({ replicas }: { replicas: readonly ReplicaInfo[] }) {
  const say = useTexts(trainingTexts);
  const attempts = new Set(replicas.map((one) => one.attempt)).size;
  return (
    <div style={{ gridColumn: "1 / -1" }}>
      <Card title={say("replicas")}>
        {replicas.length === 0 && <p className={css.muted}>{say("replicas.none")}</p>}
        {replicas.length > 0 && (
          <Wide label={say("replicas")}>
            <table className={plain.table}>
              <thead>
                <tr>
                  <th>{say("task")}</th>
                  <th>{say("state")}</th>
                  <th>{say("machine")}</th>
                  <th>{say("host")}</th>
                  <th>{say("python")}</th>
                  <th>{say("runtime")}</th>
                  <th>{say("exit")}</th>
                  <th>{say("lost")}</th>
                </tr>
              </thead>
              <tbody>
                {replicas.map((one) => (
                  <tr key={one.name}>
                    <td>
                      {one.task}
                      {attempts > 1 && <div className={css.muted}>{say("attempt", { n: one.attempt })}</div>}
                    </td>
                    <td>
                      <State state={endState(one.state, one.reason)} />
                    </td>
                    <td>{one.machine}</td>
                    <td>
                      <Id text={one.host} />
                    </td>
                    <td>{one.python}</td>
                    <td className={css.short}>
                      {one.runtime === "sandbox" || one.runtime === "process"
                        ? say(`runtime.${one.runtime}`)
                        : one.runtime}
                    </td>
                    <td className={css.short}>{one.reason && `${one.exitCode} ${outcomeNow(one.reason)}`}</td>
                    <td className={css.muted}>
                      <Said text={one.lost.join("\n")} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Wide>
        )}
      </Card>
    </div>
  );
}
