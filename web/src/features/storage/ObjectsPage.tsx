// A place in a bucket: a folder when its path ends in a slash or is empty, an object otherwise.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useLocation, useParams } from "@tanstack/react-router";
import { CornerLeftUp, FileText, Folder as FolderIcon, Upload } from "lucide-react";
import { useRef, useState } from "react";
import { useProject } from "~/api/session";
import { type Folder, listFolder, type StoredObject } from "~/api/storage";
import { Id } from "~/design/Copy";
import { Empty, Problem, Waiting } from "~/design/Notice";
import { Card, Page } from "~/design/Page";
import { type Column, Table } from "~/design/Table";
import { Ago } from "~/design/Time";
import { type Say, useTexts } from "~/i18n";
import { micros } from "~/lib/times";
import { formatBytes } from "~/lib/units";
import { ObjectPage } from "./ObjectPage";
import css from "./Objects.module.css";
import { storageTexts } from "./texts";
import { Uploads, useUploads } from "./Uploads";

export function ObjectsPage() {
  const { bucket = "", _splat: splat = "" } = useParams({ strict: false }) as { bucket?: string; _splat?: string };
  // The router takes a slash at the end for none of the path; here it makes a folder of it.
  const folder = useLocation({ select: ({ pathname }) => pathname.endsWith("/") });
  const path = folder && splat && !splat.endsWith("/") ? `${splat}/` : splat;
  return path === "" || path.endsWith("/") ? (
    <FolderPage key={`${bucket}/${path}`} bucket={bucket} prefix={path} />
  ) : (
    <ObjectPage key={`${bucket}/${path}`} bucket={bucket} name={path} />
  );
}

/** The way from the buckets to a place in one. */
export function useCrumbs(bucket: string, path: string) {
  const say = useTexts(storageTexts);
  const project = useProject();
  const parts = path.split("/").slice(0, -1);
  if (path.endsWith("/")) parts.pop();
  const folders = parts.map((label, i) => ({
    label: label || "·",
    to: `/data/${bucket}/${parts
      .slice(0, i + 1)
      .map(encodeURIComponent)
      .join("/")}/`,
  }));
  const top = path ? [{ label: bucket, to: `/data/${bucket}/` }] : [];
  return [{ label: say("title"), to: `/projects/${project.id}/data` }, ...top, ...folders];
}

interface Row {
  name: string;
  path: string;
  object?: StoredObject;
}

function FolderPage({ bucket, prefix }: { bucket: string; prefix: string }) {
  const say = useTexts(storageTexts);
  const listing = useInfiniteQuery({
    queryKey: ["objects", bucket, prefix],
    queryFn: ({ pageParam }) => listFolder(bucket, prefix, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: Folder) => page.next,
  });
  const crumbs = useCrumbs(bucket, prefix);
  const uploads = useUploads(bucket, prefix);
  const [over, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const rows = rowsOf(listing.data?.pages ?? [], prefix);
  const actions = (
    <Button leftSection={<Upload size={16} aria-hidden />} onClick={() => picker.current?.click()}>
      {say("upload")}
    </Button>
  );
  return (
    <Page
      title={prefix ? (prefix.split("/").at(-2) ?? prefix) : bucket}
      crumbs={crumbs}
      lead={<Id text={`gs://${bucket}/${prefix}`} />}
      actions={actions}
    >
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        aria-label={say("upload")}
        onChange={(event) => uploads.add([...(event.currentTarget.files ?? [])])}
      />
      <Uploads state={uploads} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way to do what the button does */}
      <div
        className={css.drop}
        data-over={over || undefined}
        data-hint={say("drop", { folder: `gs://${bucket}/${prefix}` })}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={(event) => event.currentTarget.contains(event.relatedTarget as Node) || setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          uploads.add([...event.dataTransfer.files]);
        }}
      >
        {listing.isPending && <Waiting />}
        {listing.isError && <Problem error={listing.error} retry={() => void listing.refetch()} />}
        {listing.data && rows.length === 0 && <Empty title={say("folder.none")}>{say("folder.why")}</Empty>}
        {rows.length > 0 && (
          <Card>
            {prefix && (
              <Link to="/data/$bucket/$" params={{ bucket, _splat: parentOf(prefix) }} className={css.up}>
                <CornerLeftUp size={15} aria-hidden /> {say("up")}
              </Link>
            )}
            <Table
              label={say("title")}
              rows={rows}
              columns={columns(say, bucket)}
              keyOf={(row) => row.path}
              onEnd={listing.hasNextPage && !listing.isFetching ? () => void listing.fetchNextPage() : undefined}
            />
          </Card>
        )}
      </div>
    </Page>
  );
}

function rowsOf(pages: Folder[], prefix: string): Row[] {
  const folders = [...new Set(pages.flatMap((page) => page.folders))];
  const objects = pages.flatMap((page) => page.objects).filter((one) => one.name !== prefix);
  return [
    ...folders.map((path) => ({ name: path.slice(prefix.length), path })),
    ...objects.map((object) => ({ name: object.name.slice(prefix.length), path: object.name, object })),
  ];
}

function parentOf(prefix: string): string {
  return prefix.slice(0, prefix.lastIndexOf("/", prefix.length - 2) + 1);
}

function columns(say: Say<(typeof storageTexts.keys)[number]>, bucket: string): Column<Row>[] {
  return [
    {
      id: "name",
      title: say("name"),
      width: "minmax(160px, 4fr)",
      cell: (row) => (
        <Link to="/data/$bucket/$" params={{ bucket, _splat: row.path }} className={css.name} title={row.path}>
          {row.object ? <FileText size={16} aria-hidden /> : <FolderIcon size={16} aria-hidden />}
          <span>{row.name}</span>
        </Link>
      ),
    },
    {
      id: "size",
      title: say("size"),
      width: "90px",
      numeric: true,
      cell: (row) => (row.object ? formatBytes(Number(row.object.size)) : ""),
    },
    {
      id: "kind",
      title: say("kind"),
      width: "minmax(90px, 1fr)",
      optional: true,
      cell: (row) => (row.object ? (row.object.contentType ?? "") : say("folder")),
    },
    {
      id: "changed",
      title: say("changed"),
      width: "minmax(90px, 1fr)",
      optional: true,
      cell: (row) => row.object && <Ago at={micros(row.object.updated)} />,
    },
  ];
}
