// What is recorded of one node.
import { CloseButton } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Code, Id } from "~/design/Copy";
import { Facts } from "~/design/Facts";
import { State } from "~/design/State";
import { Ago } from "~/design/Time";
import { useTexts } from "~/i18n";
import { idOf, pageOf } from "~/lib/names";
import { micros } from "~/lib/times";
import { pageTarget, type Thing } from "./graph";
import css from "./Lineage.module.css";
import { lineageTexts } from "./texts";

export function Details({ thing, onClose }: { thing: Thing; onClose: () => void }) {
  const say = useTexts(lineageTexts);
  const page = pageOf(pageTarget(thing));
  return (
    <aside className={css.details} aria-label={say("facts")}>
      <div className={css.detailsHead}>
        <h2 title={thing.title}>{thing.title}</h2>
        <CloseButton aria-label={say("facts")} onClick={onClose} />
      </div>
      {page && <Link to={page as "/"}>{say("open")}</Link>}
      <Facts
        facts={[
          [say("kind"), `${say(`kind.${thing.kind}`)} (${say(`schema.${thing.role}`)})`],
          [say("state"), thing.state && <State key="state" state={thing.state} />],
          [say("created"), <Ago key="created" at={micros(thing.created)} />],
          [say("uri"), thing.uri && <Id key="uri" text={thing.uri} />],
          [say("schema"), thing.schema],
          [say("name"), <Id key="name" text={thing.id} shown={idOf(thing.id)} />],
        ]}
      />
      {Object.keys(thing.metadata).length > 0 && (
        <Code text={JSON.stringify(thing.metadata, null, 2)} label={say("facts")} />
      )}
    </aside>
  );
}
