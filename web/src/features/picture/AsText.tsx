// The same picture in words: for screen readers, for searching, for whoever would rather read.

import plain from "~/design/plain.module.css";
import { Said } from "~/design/Said";
import { State } from "~/design/State";
import { useTexts } from "~/i18n";
import { formatClock } from "~/lib/times";
import { tellAmount, tellLabel, tellVerb } from "./amounts";
import type { Moment } from "./moment";
import css from "./Picture.module.css";
import { pictureTexts } from "./texts";
import { whyTexts } from "./why";
import { stateOf, subtitle, titleOf, whyOf } from "./words";

interface Given {
  moment: Moment;
  explains: boolean;
  onOpen: (id: string) => void;
}

export function AsText({ moment, explains, onOpen }: Given) {
  const say = useTexts(pictureTexts);
  const why = useTexts(whyTexts);
  const title = (id: string) => {
    const node = moment.nodes.get(id)?.node;
    if (!node) return id;
    const name = titleOf(say, node);
    return name === node.title ? `${say(`kind.${node.kind}`)} ${name}` : name;
  };
  return (
    <div className={css.text}>
      {(["user", "tenant"] as const).map((region) => (
        <section key={region} aria-label={say(`region.${region}`)}>
          <h3>{say(`region.${region}`)}</h3>
          <ul>
            {[...moment.nodes.values()]
              .filter(({ node }) => node.region === region)
              .map((seen) => (
                <li key={seen.node.id} data-node={seen.node.id}>
                  <button type="button" onClick={() => onOpen(seen.node.id)}>
                    {title(seen.node.id)}
                  </button>{" "}
                  {seen.state && <State state={stateOf(seen)} />}{" "}
                  <span className={css.muted}>
                    {subtitle(say, seen)}
                    {subtitle(say, seen) && seen.reason && " · "}
                    <Said text={whyOf(seen)} printed={seen.printed} />
                  </span>
                  {explains && <p className={css.muted}>{why(seen.node.kind)}</p>}
                </li>
              ))}
          </ul>
        </section>
      ))}
      <table className={plain.table}>
        <thead>
          <tr>
            <th>{say("from")}</th>
            <th>{say("what")}</th>
            <th>{say("to")}</th>
            <th>{say("amount")}</th>
            <th>{say("since")}</th>
          </tr>
        </thead>
        <tbody>
          {moment.edges.map(({ edge, amount }) => (
            <tr key={edge.id} data-edge={edge.id}>
              <td>{title(edge.source)}</td>
              <td>
                {[tellVerb(say, edge.kind, edge.label), tellLabel(say, edge.kind, edge.label)]
                  .filter(Boolean)
                  .join(" · ")}
              </td>
              <td>{title(edge.target)}</td>
              <td>{amount && tellAmount(say, edge.kind, edge.label, amount)}</td>
              <td>{formatClock(edge.since, true)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
