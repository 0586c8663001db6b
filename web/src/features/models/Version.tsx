// One version of a model: what it is, its aliases, its files, where it came from.
import { Button, Modal } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { vertex } from "~/api/client";
import { listFolder } from "~/api/storage";
import type { LongrunningOperation, Model } from "~/api/vertex.gen";
import { Id } from "~/design/Copy";
import { Facts } from "~/design/Facts";
import { Named } from "~/design/Named";
import { Problem, Waiting } from "~/design/Notice";
import { Card } from "~/design/Page";
import { Ago } from "~/design/Time";
import { useTexts } from "~/i18n";
import { idOf, pageOf, parseGs } from "~/lib/names";
import { micros } from "~/lib/times";
import { formatBytes } from "~/lib/units";
import { Aliases } from "./Aliases";
import css from "./Models.module.css";
import { modelTexts } from "./texts";

export function Version({ model, versions }: { model: Model; versions: readonly Model[] }) {
  const say = useTexts(modelTexts);
  const name = (model.name ?? "").split("@")[0] ?? "";
  return (
    <div className={css.version}>
      <Card
        title={`${say("version")} ${model.versionId}`}
        actions={versions.length > 1 && <DeleteVersion model={model} name={name} />}
      >
        <Facts
          facts={[
            [say("description"), model.versionDescription],
            [say("aliases"), <Aliases key="aliases" model={model} name={name} versions={versions} />],
            [say("image"), model.containerSpec?.imageUri],
            [
              say("artifact"),
              model.artifactUri && (
                <Link key="artifact" to={pageOf(`${model.artifactUri.replace(/\/$/, "")}/`) as "/"}>
                  {model.artifactUri}
                </Link>
              ),
            ],
            [say("pipeline"), model.trainingPipeline && <Named key="pipeline" name={model.trainingPipeline} />],
            [
              say("lineage"),
              model.metadataArtifact && (
                <Link key="lineage" to={pageOf(model.metadataArtifact) as "/"}>
                  {say("graph")}
                </Link>
              ),
            ],
            [say("created"), <Ago key="created" at={micros(model.versionCreateTime)} />],
            [say("changed"), <Ago key="changed" at={micros(model.versionUpdateTime)} />],
            [say("id"), <Id key="id" text={`${name}@${model.versionId}`} shown={`${idOf(name)}@${model.versionId}`} />],
          ]}
        />
      </Card>
      {model.artifactUri && <Files uri={model.artifactUri} />}
    </div>
  );
}

function DeleteVersion({ model, name }: { model: Model; name: string }) {
  const say = useTexts(modelTexts);
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => vertex<LongrunningOperation>(`${name}@${model.versionId}:deleteVersion`, { method: "DELETE" }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["resource", name] }),
  });
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={() => setAsking(true)}>
        {say("remove")}
      </Button>
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={say("remove.title", { what: `${model.displayName}@${model.versionId}` })}
      >
        <p>{say("remove.text")}</p>
        {remove.isError && <Problem error={remove.error} />}
        <Button color="red" mt="md" loading={remove.isPending} onClick={() => remove.mutate()}>
          {say("remove.sure")}
        </Button>
      </Modal>
    </>
  );
}

function Files({ uri }: { uri: string }) {
  const say = useTexts(modelTexts);
  const place = parseGs(`${uri.replace(/\/$/, "")}/`);
  const files = useQuery({
    queryKey: ["objects", place?.bucket, place?.object, "files"],
    queryFn: () => listFolder(place?.bucket ?? "", place?.object ?? ""),
    enabled: !!place,
  });
  if (!place) return null;
  const objects = files.data?.objects.filter((one) => one.name !== place.object) ?? [];
  const folders = files.data?.folders ?? [];
  return (
    <Card title={say("files")}>
      {files.isPending && <Waiting lines={2} />}
      {files.isError && <Problem error={files.error} retry={() => void files.refetch()} />}
      {files.data && objects.length + folders.length === 0 && <p className={css.muted}>{say("files.none")}</p>}
      <ul className={css.files}>
        {folders.map((path) => (
          <li key={path}>
            <Link to="/data/$bucket/$" params={{ bucket: place.bucket, _splat: path }}>
              {path.slice(place.object.length)}
            </Link>
          </li>
        ))}
        {objects.map((one) => (
          <li key={one.name}>
            <Link to="/data/$bucket/$" params={{ bucket: place.bucket, _splat: one.name }}>
              {one.name.slice(place.object.length)}
            </Link>
            <span className={css.muted}>{formatBytes(Number(one.size))}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
