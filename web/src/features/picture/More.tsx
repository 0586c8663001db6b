// What only the server knows of a node, as it was at the instant that is shown.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Thing, Variable } from "~/api/console.gen";
import { Code } from "~/design/Copy";
import { Facts } from "~/design/Facts";
import { Said } from "~/design/Said";
import { useTexts } from "~/i18n";
import { pageOf } from "~/lib/names";
import { formatClock } from "~/lib/times";
import { formatBytes, formatCount } from "~/lib/units";
import { joinWords } from "~/lib/words";
import { tellOpened } from "./amounts";
import { wordOf } from "./facts";
import type { Opened } from "./opened";
import panel from "./Panel.module.css";
import css from "./Picture.module.css";
import { pictureTexts } from "./texts";

const MOST_OBJECTS = 200;

export function More({ opened: { known, resourceSince, objects, usage } }: { opened: Opened }) {
  const say = useTexts(pictureTexts);
  const { evidence, lost, command, cluster, variables, columns, packages, members, resource } = known;
  return (
    <>
      {evidence && <Listing title={say("evidence")} text={evidence} />}
      {lost && lost.length > 0 && (
        <Part title={say("lost")}>
          <ul className={panel.plain}>
            {lost.map((one) => (
              <li key={one}>
                <Said text={one} />
              </li>
            ))}
          </ul>
        </Part>
      )}
      {usage && <Used usage={usage} />}
      {command && command.length > 0 && <Listing title={say("command")} text={joinWords(command)} />}
      {cluster && <Listing title={say("cluster")} text={json(cluster)} />}
      {variables && variables.length > 0 && <Variables variables={variables} />}
      {objects.length > 0 && <Objects objects={objects} />}
      {columns && columns.length > 0 && (
        <Listing title={say("columns")} text={columns.map((one) => `${one.name}: ${one.kind}`).join("\n")} />
      )}
      {packages && Object.keys(packages).length > 0 && (
        <Listing title={say("packages")} text={pinned(packages).join("\n")} />
      )}
      {members && members.length > 0 && <Listing title={say("members")} text={members.join("\n")} />}
      {resource && (
        <Listing
          title={say("resource")}
          note={say("resource.since", { time: formatClock(resourceSince, true) })}
          text={json(resource)}
        />
      )}
    </>
  );
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function pinned(packages: Readonly<Record<string, string>>): string[] {
  return Object.entries(packages).map(([name, version]) => `${name}==${version}`);
}

function Part({ title, note, children }: { title: string; note?: string | undefined; children: ReactNode }) {
  return (
    <section>
      <h3>
        {title} {note && <small className={css.muted}>{note}</small>}
      </h3>
      {children}
    </section>
  );
}

function Listing({ title, note, text }: { title: string; note?: string; text: string }) {
  return (
    <Part title={title} note={note}>
      <Code text={text} label={title} />
    </Part>
  );
}

const USED = ["cpuSeconds", "memoryBytes", "memoryPeakBytes", "processes"] as const;
const MOVED = ["diskReadBytes", "diskWrittenBytes", "networkReceivedBytes", "networkSentBytes"] as const;

/** The last sign of life by the instant. */
function Used({ usage }: { usage: Readonly<Record<string, unknown>> }) {
  const say = useTexts(pictureTexts);
  const facts = [...USED, ...MOVED]
    .filter((key) => typeof usage[key] === "number")
    .map((key) => {
      const value = usage[key] as number;
      return [wordOf(say, key), key.endsWith("Bytes") ? formatBytes(value) : formatCount(value)] as const;
    });
  return (
    <Part title={say("usage")} note={say("usage.at", { time: formatClock(usage.time as number, true) })}>
      <Facts facts={facts} />
    </Part>
  );
}

function Variables({ variables }: { variables: readonly Variable[] }) {
  const say = useTexts(pictureTexts);
  return (
    <Part title={say("variables")}>
      <dl className={panel.variables}>
        {variables.map((one) => (
          <div key={one.name} title={say(`origin.${one.origin}`)} data-origin={one.origin}>
            <dt>{one.name}</dt>
            <dd>{one.hidden ? <em>{say("hidden")}</em> : one.value}</dd>
          </div>
        ))}
      </dl>
    </Part>
  );
}

function Objects({ objects }: { objects: readonly Thing[] }) {
  const say = useTexts(pictureTexts);
  return (
    <Part title={say("objects")}>
      <ul className={panel.passed}>
        {objects.slice(0, MOST_OBJECTS).map((one) => {
          const page = one.uri.includes("*") ? undefined : pageOf(one.uri);
          const told = [
            one.read > 0 && `${say("read")} ${formatBytes(one.read)}`,
            one.written > 0 && `${say("written")} ${formatBytes(one.written)}`,
            one.copied > 0 && say("copied", { amount: formatBytes(one.copied) }),
            !one.read && !one.written && one.opens > 0 && tellOpened(say, one.opens),
          ];
          return (
            <li key={`${one.uri}#${one.generation}`} data-object={one.uri}>
              {page ? <Link to={page as "/"}>{one.uri.replace(/^gs:\/\/[^/]+\//, "")}</Link> : <span>{one.uri}</span>}
              <span className={css.muted}>{told.filter(Boolean).join(" · ")}</span>
            </li>
          );
        })}
      </ul>
    </Part>
  );
}
