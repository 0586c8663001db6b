// What is recorded of one node.
import { Button, CloseButton } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Code, Id } from "~/design/Copy";
import { type Fact, Facts } from "~/design/Facts";
import { State } from "~/design/State";
import { Ago } from "~/design/Time";
import { useTexts } from "~/i18n";
import { idOf, pageOf } from "~/lib/names";
import { micros } from "~/lib/times";
import { type Around, pageTarget, type Thing } from "./graph";
import css from "./Lineage.module.css";
import { lineageTexts } from "./texts";

const VERBS = ["madeBy", "readBy", "read", "made", "partOf", "ranAs"] as const;

interface Given {
  thing: Thing;
  around: Around;
  onOpen: (id: string) => void;
  /** Shows each object of a folder. */
  onUnfold: (inside: readonly Thing[]) => void;
  onClose: () => void;
}

export function Details({ thing, around, onOpen, onUnfold, onClose }: Given) {
  const say = useTexts(lineageTexts);
  const page = pageOf(pageTarget(thing));
  const { inside } = thing;
  return (
    <aside className={css.details} aria-label={say("facts")}>
      <div className={css.detailsHead}>
        <h2 title={thing.title}>{thing.title}</h2>
        <CloseButton aria-label={say("facts")} onClick={onClose} />
      </div>
      {page && <Link to={page as "/"}>{say("open")}</Link>}
      {inside && (
        <Button variant="default" onClick={() => onUnfold(inside)}>
          {say("each")}
        </Button>
      )}
      <Facts
        facts={[
          [say("kind"), `${say(`kind.${thing.kind}`)} (${say(`schema.${thing.role}`)})`],
          [say("state"), thing.state && <State key="state" state={thing.state} />],
          [say("created"), <Ago key="created" at={micros(thing.created)} />],
          [say("uri"), thing.uri && <Id key="uri" text={thing.uri} />],
          [say("schema"), thing.schema],
          ...VERBS.map(
            (verb) =>
              [
                say(verb),
                around[verb].length === 0 ? "" : <Names key={verb} of={around[verb]} onOpen={onOpen} />,
              ] as Fact,
          ),
          [say("inside"), inside ? <Titles key="inside" of={inside} /> : ""],
          [say("name"), inside ? "" : <Id key="name" text={thing.id} shown={idOf(thing.id)} />],
        ]}
      />
      {Object.keys(thing.metadata).length > 0 && (
        <Code text={JSON.stringify(thing.metadata, null, 2)} label={say("facts")} />
      )}
    </aside>
  );
}

/** Neighbours that are named; the graph shows the others. */
const MOST = 12;

function Titles({ of }: { of: readonly Thing[] }) {
  return (
    <ul className={css.names}>
      {of.slice(0, MOST).map((one) => (
        <li key={one.id}>{one.title}</li>
      ))}
      {of.length > MOST && <li>{`… ${of.length - MOST}`}</li>}
    </ul>
  );
}

function Names({ of, onOpen }: { of: readonly Thing[]; onOpen: (id: string) => void }) {
  return (
    <ul className={css.names}>
      {of.slice(0, MOST).map((one) => (
        <li key={one.id}>
          <button type="button" onClick={() => onOpen(one.id)}>
            {one.title}
          </button>
        </li>
      ))}
      {of.length > MOST && <li>{`… ${of.length - MOST}`}</li>}
    </ul>
  );
}
