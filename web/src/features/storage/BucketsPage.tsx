import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useProject, useSession } from "~/api/session";
import { type Bucket, createBucket, listBuckets } from "~/api/storage";
import { Empty, Problem, Waiting } from "~/design/Notice";
import { Card, Page } from "~/design/Page";
import { type Column, Table } from "~/design/Table";
import { Ago } from "~/design/Time";
import { type Say, useTexts } from "~/i18n";
import { micros } from "~/lib/times";
import { storageTexts } from "./texts";

export function BucketsPage() {
  const say = useTexts(storageTexts);
  const project = useProject(useParams({ strict: false }).project);
  const buckets = useQuery({ queryKey: ["buckets", project.number], queryFn: () => listBuckets(project.id) });
  const [making, setMaking] = useState(false);
  const fresh = (
    <Button leftSection={<Plus size={16} aria-hidden />} onClick={() => setMaking(true)}>
      {say("new")}
    </Button>
  );
  return (
    <Page title={say("title")} lead={say("buckets.lead")} actions={fresh}>
      {buckets.isPending && <Waiting />}
      {buckets.isError && <Problem error={buckets.error} retry={() => void buckets.refetch()} />}
      {buckets.data?.length === 0 && <Empty title={say("buckets.none")}>{say("buckets.why")}</Empty>}
      {!!buckets.data?.length && (
        <Card>
          <Table
            label={say("title")}
            rows={buckets.data}
            columns={columns(say)}
            keyOf={(bucket) => bucket.name}
            total={buckets.data.length}
          />
        </Card>
      )}
      {making && <NewBucket project={project.id} onClose={() => setMaking(false)} />}
    </Page>
  );
}

function columns(say: Say<(typeof storageTexts.keys)[number]>): Column<Bucket>[] {
  return [
    {
      id: "name",
      title: say("name"),
      width: "minmax(160px, 3fr)",
      cell: (bucket) => (
        <Link to="/data/$bucket/$" params={{ bucket: bucket.name, _splat: "" }}>
          {bucket.name}
        </Link>
      ),
    },
    {
      id: "location",
      title: say("location"),
      width: "minmax(90px, 1fr)",
      optional: true,
      cell: (bucket) => bucket.location?.toLowerCase() ?? "",
    },
    {
      id: "created",
      title: say("created"),
      width: "minmax(110px, 1fr)",
      cell: (bucket) => <Ago at={micros(bucket.timeCreated)} />,
    },
  ];
}

function NewBucket({ project, onClose }: { project: string; onClose: () => void }) {
  const say = useTexts(storageTexts);
  const { location } = useSession();
  const [name, setName] = useState("");
  const queries = useQueryClient();
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: () => createBucket(project, name.trim(), location),
    onSuccess: async (bucket) => {
      await queries.invalidateQueries({ queryKey: ["buckets"] });
      void navigate({ to: "/data/$bucket/$", params: { bucket: bucket.name, _splat: "" } });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={say("new")}>
      <form onSubmit={submit}>
        <TextInput
          label={say("new.name")}
          description={say("new.hint")}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          required
          data-autofocus
        />
        {make.isError && <Problem error={make.error} />}
        <Button type="submit" mt="md" loading={make.isPending}>
          {say("make")}
        </Button>
      </form>
    </Modal>
  );
}
