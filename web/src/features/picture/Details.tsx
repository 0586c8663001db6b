// What a node is at the instant that is shown: its facts, its states, what passed, and what only the server knows of it.
import { CloseButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { ask } from "~/api/client";
import type { NodeDetails, Picture } from "~/api/console.gen";
import { type Fact, Facts } from "~/design/Facts";
import { Notice, Problem } from "~/design/Notice";
import { Said } from "~/design/Said";
import { State } from "~/design/State";
import { useTexts } from "~/i18n";
import { pageOf } from "~/lib/names";
import { formatClock } from "~/lib/times";
import { tellAmount, tellLabel, tellVerb } from "./amounts";
import { Broken } from "./Broken";
import { factsOf } from "./facts";
import { More } from "./More";
import type { Moment, SeenNode } from "./moment";
import { openedAt } from "./opened";
import panel from "./Panel.module.css";
import css from "./Picture.module.css";
import { pictureTexts } from "./texts";
import { whyTexts } from "./why";
import { stateOf, titleOf, whyOf } from "./words";

interface Given {
  picture: Picture;
  moment: Moment;
  id: string;
  explains: boolean;
  onClose: () => void;
}

const EVERY = 2000;

export function Details({ picture, moment, id, explains, onClose }: Given) {
  const say = useTexts(pictureTexts);
  const why = useTexts(whyTexts);
  const node = picture.nodes.find((one) => one.id === id);
  const found = useDetails(picture, node ? id : "");
  if (!node) return null;
  const seen = moment.nodes.get(id);
  return (
    <aside className={panel.details} aria-label={say("details")}>
      <div className={panel.detailsHead}>
        <div>
          <small className={css.muted}>{say(`kind.${node.kind}`)}</small>
          <h2>{titleOf(say, node)}</h2>
        </div>
        <CloseButton aria-label={say("details.close")} onClick={onClose} />
      </div>
      {explains && <Notice>{why(node.kind)}</Notice>}
      {seen ? (
        <Seen picture={picture} moment={moment} seen={seen} />
      ) : (
        <p className={css.muted}>{say("later", { time: formatClock(node.since, true) })}</p>
      )}
      {found.isPending && <p className={css.muted}>{say("details.loading")}</p>}
      {found.isError && <Problem error={found.error} />}
      {found.data && seen && <Known details={found.data} at={moment.at} />}
    </aside>
  );
}

/** The whole story of a node, asked for once: the page finds in it what was known at an instant. */
function useDetails(picture: Picture, id: string) {
  const { run, until } = picture;
  return useQuery({
    queryKey: ["of-project", "node", run, id, until],
    queryFn: ({ signal }) => ask<NodeDetails>("/picture/node", { query: { run, id }, signal }),
    enabled: id !== "",
    placeholderData: (before) => (before?.node.id === id ? before : undefined),
    refetchInterval: until === 0 ? EVERY : false,
  });
}

function Known({ details, at }: { details: NodeDetails; at: number }) {
  const opened = useMemo(() => openedAt(details, at), [details, at]);
  return <More opened={opened} />;
}

function Seen({ picture, moment, seen }: { picture: Picture; moment: Moment; seen: SeenNode }) {
  const say = useTexts(pictureTexts);
  const { node } = seen;
  const { at } = moment;
  const page = node.resource && node.resource !== picture.run ? pageOf(node.resource) : undefined;
  const states = node.states.filter((one) => one.time <= at);
  const times: Fact[] = [
    [say("since"), formatClock(node.since, true)],
    [say("until"), seen.over ? formatClock(node.until, true) : ""],
  ];
  return (
    <>
      {stateOf(seen) === "FAILED" && <Broken seen={seen} />}
      {page && node.kind !== "replica" && <Link to={page as "/"}>{say("open")}</Link>}
      {states.length > 0 && (
        <ol className={panel.states} aria-label={say("states")}>
          {states.map((one) => (
            <li key={`${one.time}-${one.state}`}>
              <time>{formatClock(one.time, true)}</time>
              <State state={one.state} />
              {one.reason && (
                <small className={css.muted}>
                  <Said text={whyOf(one)} printed={one.printed} />
                </small>
              )}
            </li>
          ))}
        </ol>
      )}
      <Facts facts={[...factsOf(say, seen), ...times]} />
      <Passed picture={picture} moment={moment} id={node.id} />
    </>
  );
}

const MOST_PASSED = 60;

function Passed({ picture, moment, id }: { picture: Picture; moment: Moment; id: string }) {
  const say = useTexts(pictureTexts);
  const edges = moment.edges.filter(({ edge }) => edge.source === id || edge.target === id);
  const titles = new Map(picture.nodes.map((one) => [one.id, titleOf(say, one)]));
  if (edges.length === 0) return null;
  return (
    <ul className={panel.passed}>
      {edges.slice(0, MOST_PASSED).map(({ edge, amount }) => {
        const verb = tellVerb(say, edge.kind, edge.label);
        return (
          <li key={edge.id}>
            <span>
              {edge.source === id
                ? `${verb} → ${titles.get(edge.target) ?? ""}`
                : `${titles.get(edge.source) ?? ""} ${verb} →`}
            </span>
            <span className={css.muted}>
              {[tellLabel(say, edge.kind, edge.label), amount && tellAmount(say, edge.kind, edge.label, amount)]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
