import { useParams } from "@tanstack/react-router";
import { all } from "~/api/filters";
import { useList } from "~/api/resources";
import { useProject } from "~/api/session";
import type { Dataset } from "~/api/vertex.gen";
import { useAddress } from "~/design/address";
import { Resources } from "~/design/Resources";
import type { Column } from "~/design/Table";
import { type Say, useTexts } from "~/i18n";
import { kindOf, sourcesOf } from "./sources";
import { datasetTexts } from "./texts";

export function DatasetsPage() {
  const say = useTexts(datasetTexts);
  const project = useProject(useParams({ strict: false }).project);
  const address = useAddress();
  const [{ q, order = "" }] = address;
  const list = useList<Dataset>(`projects/${project.id}/locations/-`, "datasets", {
    filter: all(q && `display_name:${JSON.stringify(q)}`),
    orderBy: order,
  });
  return <Resources say={say} list={list} address={address} columns={columns(say)} />;
}

function columns(say: Say<(typeof datasetTexts.keys)[number]>): Column<Dataset>[] {
  return [
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
  ];
}
