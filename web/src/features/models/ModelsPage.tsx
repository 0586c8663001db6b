import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { vertex } from "~/api/client";
import { all, named } from "~/api/filters";
import { useList } from "~/api/resources";
import { useProject } from "~/api/session";
import type { ListModelVersionsResponse, Model } from "~/api/vertex.gen";
import { useAddress } from "~/design/address";
import { Resources } from "~/design/Resources";
import type { Column } from "~/design/Table";
import { Ago } from "~/design/Time";
import { type Say, useTexts } from "~/i18n";
import { micros } from "~/lib/times";
import css from "./Models.module.css";
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

/** Enough for the newest and, for nearly every model, for their number. */
const MOST = 100;

function Versions({ model: { name = "" } }: { model: Model }) {
  const say = useTexts(modelTexts);
  const versions = useQuery({
    queryKey: ["resource", name, "versions", "newest"],
    queryFn: ({ signal }) =>
      vertex<ListModelVersionsResponse>(`${name}:listVersions`, {
        query: { pageSize: MOST, orderBy: "create_time desc" },
        signal,
      }),
  });
  const [newest] = versions.data?.models ?? [];
  if (!newest) return null;
  const count = `${versions.data?.models?.length}${versions.data?.nextPageToken ? "+" : ""}`;
  return (
    <>
      {count}{" "}
      <span className={css.muted}>
        {say("newest", { version: newest.versionId })} · <Ago at={micros(newest.versionCreateTime)} />
      </span>
    </>
  );
}

function columns(say: Say<(typeof modelTexts.keys)[number]>): Column<Model>[] {
  return [
    { id: "versions", title: say("versions"), width: "minmax(110px, 2.4fr)", cell: (one) => <Versions model={one} /> },
    { id: "version", title: say("default"), width: "76px", optional: true, cell: (one) => one.versionId },
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
