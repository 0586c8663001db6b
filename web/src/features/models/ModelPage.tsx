import { Button, Modal } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { vertex } from "~/api/client";
import { useResource } from "~/api/resources";
import type { ListModelVersionsResponse, LongrunningOperation, Model } from "~/api/vertex.gen";
import { useAddress } from "~/design/address";
import { Labels } from "~/design/Labels";
import { Problem, Waiting } from "~/design/Notice";
import { Card, Page } from "~/design/Page";
import { Ago } from "~/design/Time";
import { useTexts } from "~/i18n";
import { micros } from "~/lib/times";
import { newestFirst } from "./holders";
import css from "./Models.module.css";
import { modelTexts } from "./texts";
import { Version } from "./Version";

export function ModelPage() {
  const say = useTexts(modelTexts);
  const { project = "", location = "", id = "" } = useParams({ strict: false }) as Record<string, string>;
  const name = `projects/${project}/locations/${location}/models/${id}`;
  const [address, change] = useAddress();
  const found = useResource<Model>(name);
  const versions = useQuery({
    queryKey: ["resource", found.data?.name ?? name, "versions"],
    queryFn: ({ signal }) =>
      vertex<ListModelVersionsResponse>(`${name}:listVersions`, { query: { pageSize: 100 }, signal }),
  });
  const all = newestFirst(versions.data?.models ?? []);
  const chosen = all.find((one) => one.versionId === address.version) ?? all.find(isDefault) ?? all[0];
  const [deleting, setDeleting] = useState(false);
  return (
    <Page
      title={found.data?.displayName ?? id}
      crumbs={[{ label: say("title"), to: `/projects/${project}/models` }]}
      lead={found.data?.description}
      aside={<Labels labels={found.data?.labels} />}
      actions={
        found.data && (
          <Button variant="default" leftSection={<Trash2 size={16} aria-hidden />} onClick={() => setDeleting(true)}>
            {say("remove.all")}
          </Button>
        )
      }
    >
      {(found.isPending || versions.isPending) && <Waiting />}
      {found.isError && <Problem error={found.error} retry={() => void found.refetch()} />}
      {versions.isError && !found.isError && <Problem error={versions.error} retry={() => void versions.refetch()} />}
      {chosen && (
        <div className={css.split}>
          <Card title={say("versions")}>
            <ul className={css.versions}>
              {all.map((one) => (
                <li key={one.versionId}>
                  <button
                    type="button"
                    aria-current={one === chosen || undefined}
                    onClick={() => change({ version: one.versionId })}
                  >
                    <strong>{one.versionId}</strong>
                    <span>{(one.versionAliases ?? []).join(", ")}</span>
                    <Ago at={micros(one.versionCreateTime)} />
                  </button>
                </li>
              ))}
            </ul>
          </Card>
          <Version key={chosen.versionId} model={chosen} versions={all} />
        </div>
      )}
      {deleting && <Delete name={name} title={found.data?.displayName ?? id} onClose={() => setDeleting(false)} />}
    </Page>
  );
}

function isDefault(model: Model): boolean {
  return !!model.versionAliases?.includes("default");
}

function Delete({ name, title, onClose }: { name: string; title: string; onClose: () => void }) {
  const say = useTexts(modelTexts);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => vertex<LongrunningOperation>(name, { method: "DELETE" }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["list", "models"] });
      void navigate({ to: `/projects/${name.split("/")[1]}/models` as "/" });
    },
  });
  return (
    <Modal opened onClose={onClose} title={say("remove.title", { what: title })}>
      <p>{say("remove.text")}</p>
      {remove.isError && <Problem error={remove.error} />}
      <Button color="red" mt="md" loading={remove.isPending} onClick={() => remove.mutate()}>
        {say("remove.sure")}
      </Button>
    </Modal>
  );
}
