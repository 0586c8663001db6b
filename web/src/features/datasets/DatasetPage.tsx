import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ask } from "~/api/client";
import type { Uses } from "~/api/console.gen";
import { useResource } from "~/api/resources";
import type { Dataset } from "~/api/vertex.gen";
import { Id } from "~/design/Copy";
import { Facts } from "~/design/Facts";
import { Labels } from "~/design/Labels";
import { Problem, Waiting } from "~/design/Notice";
import { Card, Page } from "~/design/Page";
import plain from "~/design/plain.module.css";
import { State } from "~/design/State";
import { Ago } from "~/design/Time";
import { useTexts } from "~/i18n";
import { idOf, pageOf } from "~/lib/names";
import { micros } from "~/lib/times";
import { formatCount } from "~/lib/units";
import { Columns } from "./Columns";
import css from "./Datasets.module.css";
import { kindOf, sourcesOf } from "./sources";
import { datasetTexts } from "./texts";

export function DatasetPage() {
  const say = useTexts(datasetTexts);
  const { project = "", location = "", id = "" } = useParams({ strict: false }) as Record<string, string>;
  const name = `projects/${project}/locations/${location}/datasets/${id}`;
  const found = useResource<Dataset>(name);
  const dataset = found.data;
  return (
    <Page
      title={dataset?.displayName ?? id}
      crumbs={[{ label: say("title"), to: `/projects/${project}/datasets` }]}
      lead={dataset?.description}
      aside={<Labels labels={dataset?.labels} />}
    >
      {found.isPending && <Waiting />}
      {found.isError && <Problem error={found.error} retry={() => void found.refetch()} />}
      {dataset && (
        <>
          <Card title={say("facts")}>
            <About dataset={dataset} />
          </Card>
          {kindOf(dataset) === "tabular" && <Columns dataset={dataset.name ?? name} />}
          <Runs dataset={dataset.name ?? name} />
        </>
      )}
    </Page>
  );
}

function About({ dataset }: { dataset: Dataset }) {
  const say = useTexts(datasetTexts);
  const sources = sourcesOf(dataset);
  return (
    <Facts
      facts={[
        [say("kind"), kindOf(dataset) === "tabular" ? say("kind.tabular") : kindOf(dataset)],
        [
          say("source"),
          <ul key="sources" className={css.plain}>
            {sources.map((uri) => (
              <li key={uri}>{pageOf(uri) && !uri.includes("*") ? <Link to={pageOf(uri) as "/"}>{uri}</Link> : uri}</li>
            ))}
          </ul>,
        ],
        [say("id"), <Id key="id" text={idOf(dataset.name ?? "")} />],
        [say("created"), <Ago key="created" at={micros(dataset.createTime)} />],
        [say("changed"), <Ago key="changed" at={micros(dataset.updateTime)} />],
        dataset.metadataArtifact !== undefined && [
          say("lineage"),
          <Link key="lineage" to={pageOf(dataset.metadataArtifact) as "/"}>
            {idOf(dataset.metadataArtifact)}
          </Link>,
        ],
      ]}
    />
  );
}

function Runs({ dataset }: { dataset: string }) {
  const say = useTexts(datasetTexts);
  const uses = useQuery({
    queryKey: ["of-project", "uses", dataset],
    queryFn: ({ signal }) => ask<Uses>("/datasets/uses", { query: { dataset }, signal }),
  });
  return (
    <Card title={say("runs")}>
      {uses.isPending && <Waiting lines={2} />}
      {uses.isError && <Problem error={uses.error} retry={() => void uses.refetch()} />}
      {uses.data?.runs.length === 0 && <p className={css.muted}>{say("runs.none")}</p>}
      {!!uses.data?.runs.length && (
        <table className={plain.table}>
          <thead>
            <tr>
              <th>{say("run")}</th>
              <th>{say("state")}</th>
              <th>{say("splits")}</th>
              <th>{say("created")}</th>
            </tr>
          </thead>
          <tbody>
            {uses.data.runs.map((use) => (
              <tr key={use.run}>
                <td>
                  <Link to={pageOf(use.run) as "/"}>{use.title}</Link>
                </td>
                <td>
                  <State state={use.state} />
                </td>
                <td>
                  {(["training", "validation", "test"] as const)
                    .filter((split) => use.rows[split] !== undefined)
                    .map((split) => `${say(`split.${split}`)} ${formatCount(use.rows[split] ?? 0)}`)
                    .join(" · ")}
                </td>
                <td>
                  <Ago at={use.created} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}
