// What a node is: its facts, its states, what passed, and what only the server knows of it.
import { CloseButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ask } from "~/api/client";
import type { NodeDetails, Picture, Thing, Variable } from "~/api/console.gen";
import { Code, Id } from "~/design/Copy";
import { type Fact, Facts } from "~/design/Facts";
import { Notice, Problem } from "~/design/Notice";
import { Said } from "~/design/Said";
import { State, stateNow } from "~/design/State";
import { useTexts } from "~/i18n";
import { idOf, pageOf } from "~/lib/names";
import { formatClock } from "~/lib/times";
import { formatBytes } from "~/lib/units";
import { joinWords } from "~/lib/words";
import { tellAmount, tellLabel, tellOpened, type Words } from "./amounts";
import type { Moment } from "./moment";
import css from "./Picture.module.css";
import { pictureTexts } from "./texts";
import { tellFact, titleOf } from "./words";

interface Given {
  picture: Picture;
  moment: Moment;
  id: string;
  explains: boolean;
  onClose: () => void;
}

export function Details({ picture, moment, id, explains, onClose }: Given) {
  const say = useTexts(pictureTexts);
  const node = picture.nodes.find((one) => one.id === id);
  const found = useQuery({
    queryKey: ["of-project", "node", picture.run, id],
    queryFn: ({ signal }) => ask<NodeDetails>("/picture/node", { query: { run: picture.run, id }, signal }),
    enabled: !!node,
  });
  if (!node) return null;
  const page = node.resource && node.resource !== picture.run ? pageOf(node.resource) : undefined;
  const facts = moment.nodes.get(id)?.facts ?? node.facts;
  const edges = moment.edges.filter(({ edge }) => edge.source === id || edge.target === id);
  const titles = new Map(picture.nodes.map((one) => [one.id, titleOf(say, one)]));
  return (
    <aside className={css.details} aria-label={say("details")}>
      <div className={css.detailsHead}>
        <div>
          <small className={css.muted}>{say(`kind.${node.kind}`)}</small>
          <h2>{titleOf(say, node)}</h2>
        </div>
        <CloseButton aria-label={say("details")} onClick={onClose} />
      </div>
      {explains && <Notice>{say(`why.${node.kind}`)}</Notice>}
      {page && <Link to={page as "/"}>{say("open")}</Link>}
      {node.states.length > 0 && (
        <ol className={css.states} aria-label={say("states")}>
          {node.states.map((one) => (
            <li key={`${one.time}-${one.state}`}>
              <time>{formatClock(one.time, true)}</time>
              <State state={one.state} />
              {one.reason && (
                <small className={css.muted}>
                  <Said text={stateNow(one.reason)} />
                </small>
              )}
            </li>
          ))}
        </ol>
      )}
      <Facts
        facts={[
          ...Object.entries(facts)
            .filter(([key, value]) => !ELSEWHERE.has(key) && value !== node.title)
            .map(([key, value]): Fact => [wordOf(say, key), shown(key, tellFact(say, key, value))]),
          [say("since"), formatClock(node.since, true)],
          [say("until"), node.until ? formatClock(node.until, true) : ""],
        ]}
      />
      {edges.length > 0 && (
        <ul className={css.passed}>
          {edges.slice(0, 60).map(({ edge, amount }) => (
            <li key={edge.id}>
              <span>
                {edge.source === id
                  ? `${say(`edge.${edge.kind}`)} → ${titles.get(edge.target) ?? ""}`
                  : `${titles.get(edge.source) ?? ""} ${say(`edge.${edge.kind}`)} →`}
              </span>
              <span className={css.muted}>
                {[tellLabel(say, edge.kind, edge.label), amount && tellAmount(say, edge.kind, edge.label, amount)]
                  .filter(Boolean)
                  .join(" · ")}
              </span>
            </li>
          ))}
        </ul>
      )}
      {found.isPending && <p className={css.muted}>{say("details.loading")}</p>}
      {found.isError && <Problem error={found.error} />}
      {found.data && <More details={found.data} />}
    </aside>
  );
}

function More({ details }: { details: NodeDetails }) {
  const say = useTexts(pictureTexts);
  const { variables, command, cluster, resource, lost, objects, packages, columns, usage, members } = details;
  return (
    <>
      {lost.length > 0 && (
        <Part title={say("lost")}>
          <ul className={css.plain}>
            {lost.map((one) => (
              <li key={one}>
                <Said text={one} />
              </li>
            ))}
          </ul>
        </Part>
      )}
      {command.length > 0 && <Listing title={say("command")} text={joinWords(command)} />}
      {cluster && <Listing title={say("cluster")} text={JSON.stringify(cluster, null, 2)} />}
      {variables.length > 0 && <Variables variables={variables} />}
      {objects.length > 0 && <Objects objects={objects} />}
      {columns.length > 0 && (
        <Listing title={say("columns")} text={columns.map((one) => `${one.name}: ${one.kind}`).join("\n")} />
      )}
      {Object.keys(packages).length > 0 && (
        <Listing
          title={say("packages")}
          text={Object.entries(packages)
            .map(([name, version]) => `${name}==${version}`)
            .join("\n")}
        />
      )}
      {usage && <Listing title={say("usage")} text={JSON.stringify(usage, null, 2)} />}
      {members.length > 0 && <Listing title={say("members")} text={members.join("\n")} />}
      {resource && <Listing title={say("resource")} text={JSON.stringify(resource, null, 2)} />}
    </>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Listing({ title, text }: { title: string; text: string }) {
  return (
    <Part title={title}>
      <Code text={text} label={title} />
    </Part>
  );
}

function Variables({ variables }: { variables: readonly Variable[] }) {
  const say = useTexts(pictureTexts);
  return (
    <Part title={say("variables")}>
      <dl className={css.variables}>
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
      <ul className={css.passed}>
        {objects.slice(0, 200).map((one) => {
          const page = one.uri.includes("*") ? undefined : pageOf(one.uri);
          const told = [
            one.read > 0 && `${say("read")} ${formatBytes(one.read)}`,
            one.written > 0 && `${say("written")} ${formatBytes(one.written)}`,
            !one.read && !one.written && one.opens > 0 && tellOpened(say, one.opens),
          ];
          return (
            <li key={`${one.uri}#${one.generation}`}>
              {page ? <Link to={page as "/"}>{one.uri.replace(/^gs:\/\/[^/]+\//, "")}</Link> : <span>{one.uri}</span>}
              <span className={css.muted}>{told.filter(Boolean).join(" · ")}</span>
            </li>
          );
        })}
      </ul>
    </Part>
  );
}

/** Facts that the panel shows in a place of their own, or in its head. */
const ELSEWHERE = new Set(["objects", "lost", "labels", "displayName", "split", "task", "email"]);
const KNOWN = new Set<string>(pictureTexts.keys);

/** A fact's key as people say it; one that no text knows stays what the server calls it. */
function wordOf(say: Words, key: string): string {
  const known = `fact.${key}`;
  return KNOWN.has(known) ? say(known as "fact.image") : key;
}

function shown(key: string, value: unknown): ReactNode {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value === "number") return /bytes|size/i.test(key) ? formatBytes(value) : String(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    const page = pageOf(value);
    if (page && !value.includes("*"))
      return <Link to={page as "/"}>{value.startsWith("gs://") ? value : idOf(value)}</Link>;
    return value.length > 60 ? <Id text={value} /> : value;
  }
  return <Code text={JSON.stringify(value, null, 2)} label={key} />;
}
