import { useParams } from "@tanstack/react-router";
import { all, named } from "~/api/filters";
import { useList } from "~/api/resources";
import { useProject } from "~/api/session";
import type { Model } from "~/api/vertex.gen";
import { useAddress } from "~/design/address";
import { Resources } from "~/design/Resources";
import type { Column } from "~/design/Table";
import { type Say, useTexts } from "~/i18n";
import { modelTexts } from "./texts";

export function ModelsPage() {
  const say = useTexts(modelTexts);
  const project = useProject(useParams({ strict: false }).project);
  const address = useAddress();
  const [{ q, order = "" }] = address;
  const list = useList<Model>(`projects/${project.id}/locations/-`, "models", {
    filter: all(named(q)),
    orderBy: order,
  });
  return <Resources say={say} list={list} address={address} columns={columns(say)} />;
}

function columns(say: Say<(typeof modelTexts.keys)[number]>): Column<Model>[] {
  return [
    { id: "version", title: say("version"), width: "70px", cell: (one) => one.versionId },
    {
      id: "aliases",
      title: say("aliases"),
      width: "minmax(90px, 1fr)",
      optional: true,
      cell: (one) => (one.versionAliases ?? []).join(", "),
    },
    {
      id: "image",
      title: say("image"),
      width: "minmax(120px, 2fr)",
      optional: true,
      cell: (one) => (
        <span title={one.containerSpec?.imageUri}>{one.containerSpec?.imageUri?.split("/").at(-1) ?? ""}</span>
      ),
    },
  ];
}
