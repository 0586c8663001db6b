// A new job by form, with the same job as code beside it.
import { Button, SegmentedControl } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { ask, vertex } from "~/api/client";
import type { RunDetails } from "~/api/console.gen";
import { useProject, useSession } from "~/api/session";
import { upload } from "~/api/storage";
import type { CustomJob, TrainingPipeline } from "~/api/vertex.gen";
import { useAddress } from "~/design/address";
import { Code } from "~/design/Copy";
import { Problem, Waiting } from "~/design/Notice";
import { Card, Page } from "~/design/Page";
import { useTexts } from "~/i18n";
import { bodyOf } from "./new/body";
import { formOf } from "./new/clone";
import { restOf, shellOf } from "./new/code";
import { Fields } from "./new/Fields";
import { EMPTY, type Form, isPipeline, missing } from "./new/form";
import css from "./new/New.module.css";
import { pythonOf } from "./new/python";
import { requirementsOf } from "./new/requirements";
import { sdistOf } from "./new/sdist";
import { newTexts } from "./new/texts";

export function NewJobPage() {
  const say = useTexts(newTexts);
  const [address] = useAddress();
  const from = useQuery({
    queryKey: ["of-project", "run", address.from],
    queryFn: ({ signal }) => ask<RunDetails>("/run", { query: { run: address.from }, signal }),
    enabled: !!address.from,
  });
  if (address.from && from.isPending) return <Waiting lines={8} />;
  const start = from.data
    ? formOf(from.data.job as CustomJob | null, from.data.pipeline as TrainingPipeline | null)
    : EMPTY;
  return (
    <Page title={from.data ? say("clone", { name: from.data.run.title }) : say("title")}>
      {from.isError && <Problem error={from.error} />}
      <NewJob key={address.from ?? ""} start={start} cloned={!!address.from} />
    </Page>
  );
}

function NewJob({ start, cloned }: { start: Form; cloned: boolean }) {
  const say = useTexts(newTexts);
  const project = useProject(useParams({ strict: false }).project);
  const { location } = useSession();
  const navigate = useNavigate();
  const [form, setForm] = useState(start);
  const [script, setScript] = useState<File | null>(null);
  const [bucket, setBucket] = useState("");
  const [tried, setTried] = useState(false);
  const lacks = missing(form, !!script && !!bucket);
  useEffect(() => setForm(start), [start]);
  const fields = useRef<HTMLFormElement>(null);
  const [wrong, setWrong] = useState(0);
  // What is wrong may be out of sight.
  useEffect(() => {
    if (wrong) fields.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [wrong]);
  const send = useMutation({
    mutationFn: async () => {
      const ready = script ? { ...form, package: await uploaded(script, form, bucket) } : form;
      const collection = isPipeline(ready) ? "trainingPipelines" : "customJobs";
      const parent = `projects/${project.id}/locations/${location}`;
      return vertex<CustomJob>(`${parent}/${collection}`, { method: "POST", body: bodyOf(ready) });
    },
    onSuccess: (made) => void navigate({ to: `/${made.name}` as "/" }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (lacks.length === 0) send.mutate();
    else setWrong(wrong + 1);
  };
  return (
    <div className={css.split}>
      <form ref={fields} onSubmit={submit} className={css.form} noValidate>
        <Fields
          form={form}
          onChange={(changes) => setForm((now) => ({ ...now, ...changes }))}
          project={project.id}
          script={script}
          onScript={setScript}
          bucket={bucket}
          onBucket={setBucket}
          lacks={tried ? lacks : []}
          cloned={cloned}
        />
        {send.isError && <Problem error={send.error} />}
        <div>
          <Button type="submit" loading={send.isPending}>
            {isPipeline(form) ? say("send.pipeline") : say("send.job")}
          </Button>
        </div>
      </form>
      <SameAsCode form={form} project={project.id} location={location} bucket={bucket} />
    </div>
  );
}

/** Put a script into a bucket as the source distribution that replicas install; a package goes up as it is. */
async function uploaded(file: File, form: Form, bucket: string): Promise<string> {
  const isPackage = form.how === "package";
  const blob = isPackage ? file : await sdistOf(await file.text(), requirementsOf(form));
  const name = isPackage ? file.name : "trainer_script-0.1.tar.gz";
  const path = `console/${new Date().toISOString().replace(/[:.]/g, "-")}/${name}`;
  await upload(bucket, path, new File([blob], name), () => undefined, new AbortController().signal);
  return `gs://${bucket}/${path}`;
}

const WAYS = { python: pythonOf, gcloud: shellOf, rest: restOf } as const;

interface SameGiven {
  form: Form;
  project: string;
  location: string;
  bucket: string;
}

function SameAsCode({ form, project, location, bucket }: SameGiven) {
  const say = useTexts(newTexts);
  const [way, setWay] = useState<keyof typeof WAYS>("python");
  return (
    <div className={css.code}>
      <Card title={say("same")}>
        <SegmentedControl
          aria-label={say("same")}
          value={way}
          onChange={(next) => setWay(next as keyof typeof WAYS)}
          data={[
            { value: "python", label: "Python" },
            { value: "gcloud", label: "gcloud" },
            { value: "rest", label: "REST" },
          ]}
        />
        <div className={css.shown}>
          <Code text={WAYS[way](form, project, location, bucket)} label={say("same")} />
        </div>
        <p className={css.muted}>{say("same.run")}</p>
        {way === "gcloud" && isPipeline(form) && <p className={css.muted}>{say("same.job")}</p>}
      </Card>
    </div>
  );
}
