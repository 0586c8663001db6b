// One object: a preview, its facts, and what can be done with it.
import { Button, Modal } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Navigate, useNavigate } from "@tanstack/react-router";
import { Download, Trash2 } from "lucide-react";
import { useState } from "react";
import { ApiError } from "~/api/problems";
import { deleteObject, downloadAddress, getObject, listFolder, type StoredObject } from "~/api/storage";
import { Id } from "~/design/Copy";
import { Facts } from "~/design/Facts";
import { Empty, Problem, Waiting } from "~/design/Notice";
import { Card, Page } from "~/design/Page";
import { Ago } from "~/design/Time";
import { useTexts } from "~/i18n";
import { micros } from "~/lib/times";
import { formatBytes } from "~/lib/units";
import css from "./Objects.module.css";
import { useCrumbs } from "./ObjectsPage";
import { Preview } from "./Preview";
import { storageTexts } from "./texts";

export function ObjectPage({ bucket, name }: { bucket: string; name: string }) {
  const say = useTexts(storageTexts);
  const crumbs = useCrumbs(bucket, name);
  const found = useQuery({ queryKey: ["object", bucket, name], queryFn: () => getObject(bucket, name) });
  const [deleting, setDeleting] = useState(false);
  const missing = found.error instanceof ApiError && found.error.code === 404;
  const actions = found.data && (
    <>
      <Button
        component="a"
        href={downloadAddress(bucket, name)}
        download={name.split("/").at(-1)}
        variant="default"
        leftSection={<Download size={16} aria-hidden />}
      >
        {say("download")}
      </Button>
      <Button variant="default" leftSection={<Trash2 size={16} aria-hidden />} onClick={() => setDeleting(true)}>
        {say("remove")}
      </Button>
    </>
  );
  return (
    <Page
      title={name.split("/").at(-1) ?? name}
      crumbs={crumbs}
      lead={<Id text={`gs://${bucket}/${name}`} />}
      actions={actions}
    >
      {found.isPending && <Waiting />}
      {missing && <Missing bucket={bucket} name={name} />}
      {found.isError && !missing && <Problem error={found.error} retry={() => void found.refetch()} />}
      {found.data && (
        <div className={css.split}>
          <Card title={say("preview")}>
            <Preview object={found.data} />
          </Card>
          <Card title={say("details")}>
            <ObjectFacts object={found.data} />
          </Card>
        </div>
      )}
      {deleting && found.data && <Delete object={found.data} onClose={() => setDeleting(false)} />}
    </Page>
  );
}

/** Folders are often named without their slash. */
function Missing({ bucket, name }: { bucket: string; name: string }) {
  const say = useTexts(storageTexts);
  const path = `${name}/`;
  const inside = useQuery({ queryKey: ["objects", bucket, path, "any"], queryFn: () => listFolder(bucket, path) });
  if (inside.isPending) return <Waiting />;
  if (inside.data && inside.data.folders.length + inside.data.objects.length > 0)
    return <Navigate to="/data/$bucket/$" params={{ bucket, _splat: path }} replace />;
  return <Empty title={say("object.missing")} />;
}

function ObjectFacts({ object }: { object: StoredObject }) {
  const say = useTexts(storageTexts);
  return (
    <Facts
      facts={[
        [say("size"), formatBytes(Number(object.size))],
        [say("kind"), object.contentType],
        [say("created"), <Ago key="created" at={micros(object.timeCreated)} />],
        [say("changed"), <Ago key="changed" at={micros(object.updated)} />],
        [say("generation"), object.generation],
        [say("checksum"), object.crc32c],
        [say("path"), <Id key="path" text={`/gcs/${object.bucket}/${object.name}`} />],
      ]}
    />
  );
}

function Delete({ object, onClose }: { object: StoredObject; onClose: () => void }) {
  const say = useTexts(storageTexts);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => deleteObject(object.bucket, object.name, object.generation),
    onSuccess: async () => {
      queries.removeQueries({ queryKey: ["object", object.bucket, object.name] });
      await queries.invalidateQueries({ queryKey: ["objects", object.bucket] });
      const folder = object.name.slice(0, object.name.lastIndexOf("/") + 1);
      void navigate({ to: "/data/$bucket/$", params: { bucket: object.bucket, _splat: folder } });
    },
  });
  return (
    <Modal opened onClose={onClose} title={say("remove.title")}>
      <p className={css.hint}>{say("remove.text", { name: `gs://${object.bucket}/${object.name}` })}</p>
      {remove.isError && <Problem error={remove.error} />}
      <Button color="red" mt="md" loading={remove.isPending} onClick={() => remove.mutate()}>
        {say("remove.sure")}
      </Button>
    </Modal>
  );
}
