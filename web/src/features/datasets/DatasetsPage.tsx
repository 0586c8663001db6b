import { useParams } from "@tanstack/react-router";
import { all } from "~/api/filters";
import { useList } from "~/api/resources";
import { useProject } from "~/api/session";
import type { Dataset } from "~/api/vertex.gen";
import { useAddress } from "~/design/address";
import { Go } from "~/design/Go";
import { Labels } from "~/design/Labels";
import { Empty, Problem, Waiting } from "~/design/Notice";
import { Card, Page } from "~/design/Page";
import { SearchBox } from "~/design/SearchBox";
import { type Column, Table } from "~/design/Table";
import { Ago } from "~/design/Time";
import { type Say, useTexts } from "~/i18n";
import { pageOf } from "~/lib/names";
import { micros } from "~/lib/times";
import { kindOf, sourcesOf } from "./sources";
import { datasetTexts } from "./texts";

export function DatasetsPage() {
  const say = useTexts(datasetTexts);
  const project = useProject(useParams({ strict: false }).project);
  const [address, change] = useAddress();
  const list = useList<Dataset>(`projects/${project.id}/locations/-`, "datasets", {
    filter: all(address.q && `display_name:${JSON.stringify(address.q)}`),
    orderBy: address.order ?? "",
  });
  return (
    <Page title={say("title")}>
      <SearchBox label={say("search")} value={address.q ?? ""} onChange={(q) => change({ q })} />
      {list.isPending && <Waiting />}
      {list.error && <Problem error={list.error} retry={list.retry} />}
      {!list.isPending && !list.error && list.items.length === 0 && (
        <Empty title={address.q ? say("none.found") : say("none")}>{!address.q && say("why")}</Empty>
      )}
      {list.items.length > 0 && (
        <Card>
          <Table
            label={say("title")}
            rows={list.items}
            columns={columns(say)}
            keyOf={(one) => one.name ?? ""}
            order={address.order ?? ""}
            onOrder={(order) => change({ order })}
            onEnd={list.more}
          />
        </Card>
      )}
    </Page>
  );
}

function columns(say: Say<(typeof datasetTexts.keys)[number]>): Column<Dataset>[] {
  return [
    {
      id: "name",
      title: say("name"),
      width: "minmax(150px, 2fr)",
      order: "display_name",
      cell: (one) => (
        <Go to={pageOf(one.name ?? "") ?? "/"} title={one.displayName}>
          {one.displayName}
        </Go>
      ),
    },
    {
      id: "kind",
      title: say("kind"),
      width: "90px",
      optional: true,
      cell: (one) => (kindOf(one) === "tabular" ? say("kind.tabular") : kindOf(one)),
    },
    {
      id: "source",
      title: say("source"),
      width: "minmax(160px, 3fr)",
      optional: true,
      cell: (one) => <span title={sourcesOf(one).join("\n")}>{sourcesOf(one).join(", ")}</span>,
    },
    {
      id: "labels",
      title: "",
      width: "minmax(80px, 1fr)",
      optional: true,
      cell: (one) => <Labels labels={one.labels} />,
    },
    {
      id: "created",
      title: say("created"),
      width: "130px",
      order: "create_time",
      cell: (one) => <Ago at={micros(one.createTime)} />,
    },
  ];
}
