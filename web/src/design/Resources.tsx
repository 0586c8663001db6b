// A page that lists resources of the API by name: searched, sorted, and growing as one scrolls.
import type { ReactNode } from "react";
import type { ListOf } from "~/api/resources";
import { pageOf } from "~/lib/names";
import { micros } from "~/lib/times";
import type { useAddress } from "./address";
import { Go } from "./Go";
import { Labels } from "./Labels";
import { Empty, Problem, Waiting } from "./Notice";
import { Card, Page } from "./Page";
import { SearchBox } from "./SearchBox";
import { type Column, Table } from "./Table";
import { Ago } from "./Time";

interface Named {
  name?: string;
  displayName?: string;
  labels?: Record<string, string>;
  createTime?: string;
}

type Words = "title" | "search" | "none" | "none.found" | "why" | "name" | "created";

interface Given<T> {
  say: (key: Words) => string;
  list: ListOf<T>;
  address: ReturnType<typeof useAddress>;
  /** those between the name and the labels */
  columns: Column<T>[];
}

export function Resources<T extends Named>({ say, list, address: [address, change], columns }: Given<T>): ReactNode {
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
            columns={[nameOf(say("name")), ...columns, LABELS, createdOf(say("created"))]}
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

function nameOf(title: string): Column<Named> {
  return {
    id: "name",
    title,
    width: "minmax(150px, 2fr)",
    order: "display_name",
    cell: (one) => (
      <Go to={pageOf(one.name ?? "") ?? "/"} title={one.displayName}>
        {one.displayName}
      </Go>
    ),
  };
}

const LABELS: Column<Named> = {
  id: "labels",
  title: "",
  width: "minmax(80px, 1fr)",
  optional: true,
  cell: (one) => <Labels labels={one.labels} />,
};

function createdOf(title: string): Column<Named> {
  return {
    id: "created",
    title,
    width: "130px",
    optional: true,
    order: "create_time",
    cell: (one) => <Ago at={micros(one.createTime)} />,
  };
}
