// Where one may begin to look: runs, models, datasets that were recorded.
import { Link } from "@tanstack/react-router";
import { all, any } from "~/api/filters";
import { useList } from "~/api/resources";
import { useSession } from "~/api/session";
import type { Artifact, Execution } from "~/api/vertex.gen";
import { useAddress } from "~/design/address";
import { Empty, Problem, Waiting } from "~/design/Notice";
import { Card } from "~/design/Page";
import { SearchBox } from "~/design/SearchBox";
import { Ago } from "~/design/Time";
import { useTexts } from "~/i18n";
import { micros } from "~/lib/times";
import { startOf, thing } from "./graph";
import css from "./Lineage.module.css";
import { lineageTexts } from "./texts";
import { What } from "./What";

export function Starts({ project }: { project: string }) {
  const say = useTexts(lineageTexts);
  const { location } = useSession();
  const [address, change] = useAddress();
  const store = `projects/${project}/locations/${location}/metadataStores/default`;
  const name = address.q && `display_name=${JSON.stringify(`*${address.q}*`)}`;
  const kinds = any('schema_title="google.VertexModel"', 'schema_title="google.VertexDataset"');
  const order = "create_time desc";
  const runs = useList<Execution>(store, "executions", {
    filter: all('schema_title="system.CustomJobExecution"', name),
    orderBy: order,
    pageSize: 50,
  });
  const things = useList<Artifact>(store, "artifacts", { filter: all(kinds, name), orderBy: order, pageSize: 50 });
  const none = !runs.isPending && !things.isPending && runs.items.length + things.items.length === 0 && !address.q;
  if (none && !runs.error) return <Empty title={say("start")}>{say("none")}</Empty>;
  return (
    <>
      <SearchBox label={say("search")} value={address.q ?? ""} onChange={(q) => change({ q })} />
      <div className={css.starts}>
        {(
          [
            ["runs", runs],
            ["things", things],
          ] as const
        ).map(([title, list]) => (
          <Card key={title} title={say(title)}>
            {list.isPending && <Waiting />}
            {list.error && <Problem error={list.error} retry={list.retry} />}
            <ul className={css.list}>
              {list.items.map((one) => (
                <li key={one.name}>
                  <Link to="." search={{ focus: startOf(one) } as never} title={one.name}>
                    {one.displayName || one.name}
                  </Link>
                  <span className={css.what}>
                    <What thing={thing(one, title === "things" ? "artifact" : "execution")} />
                  </span>
                  <Ago at={micros(one.createTime)} />
                </li>
              ))}
            </ul>
          </Card>
        ))}
      </div>
    </>
  );
}
