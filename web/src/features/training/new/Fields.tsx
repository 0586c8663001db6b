// The fields of a new job.
import { FileInput, NumberInput, SegmentedControl, Select, Textarea, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { ask } from "~/api/client";
import type { Offers } from "~/api/console.gen";
import { useList } from "~/api/resources";
import { listBuckets } from "~/api/storage";
import type { Dataset } from "~/api/vertex.gen";
import { Card } from "~/design/Page";
import { useTexts } from "~/i18n";
import { idOf } from "~/lib/names";
import { type Form, isPipeline } from "./form";
import css from "./New.module.css";
import { Pools, withValue } from "./Pools";
import { Terms } from "./Terms";
import { newTexts } from "./texts";

interface Given {
  form: Form;
  onChange: (changes: Partial<Form>) => void;
  project: string;
  script: File | null;
  onScript: (file: File | null) => void;
  bucket: string;
  onBucket: (bucket: string) => void;
  /** fields that still lack something */
  lacks: readonly (keyof Form)[];
  /** whether the form began as another run's */
  cloned: boolean;
}

export function Fields(given: Given) {
  const say = useTexts(newTexts);
  const { form, onChange, lacks } = given;
  const offers = useQuery({
    queryKey: ["offers"],
    queryFn: () => ask<Offers>("/offers"),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const { images = [], servingImages = [] } = offers.data ?? {};
  useEffect(() => {
    const first = images[0];
    if (!form.image && first) onChange({ image: first });
  }, [images, form.image, onChange]);
  return (
    <>
      <Card>
        <TextInput
          label={say("name")}
          value={form.name}
          onChange={(event) => onChange({ name: event.currentTarget.value })}
          error={lacks.includes("name") && say("name.need")}
          required
        />
      </Card>
      <Card title={say("code")}>
        <CodeFields {...given} />
      </Card>
      <Card title={say("where")}>
        <div className={css.fields}>
          <Select
            label={say("image")}
            data={withValue(images, form.image)}
            value={form.image}
            onChange={(image) => onChange({ image: image ?? "" })}
            error={lacks.includes("image") && say("image.need")}
            searchable
            required
          />
          <Pools pools={form.pools} onChange={(pools) => onChange({ pools })} offers={offers.data} />
          <Textarea
            label={say("env")}
            description={say("env.hint")}
            value={form.env}
            onChange={(event) => onChange({ env: event.currentTarget.value })}
            autosize
            minRows={1}
            maxRows={8}
          />
        </div>
      </Card>
      <DataFields {...given} />
      <Terms form={form} onChange={onChange} lacks={lacks} />
      <Card title={say("result")}>
        <div className={css.fields}>
          <TextInput
            label={say("output")}
            withAsterisk={isPipeline(form)}
            description={say(given.cloned ? "output.cloned" : "output.hint")}
            value={form.output}
            onChange={(event) => onChange({ output: event.currentTarget.value })}
            error={lacks.includes("output") && say("output.need")}
          />
          <TextInput
            label={say("model")}
            description={say("model.hint")}
            value={form.model}
            onChange={(event) => onChange({ model: event.currentTarget.value })}
          />
          {form.model && (
            <Select
              label={say("serving")}
              withAsterisk
              data={withValue(servingImages, form.serving)}
              value={form.serving || null}
              onChange={(serving) => onChange({ serving: serving ?? "" })}
              error={lacks.includes("serving") && say("serving.need")}
              searchable
            />
          )}
        </div>
      </Card>
    </>
  );
}

function CodeFields({ form, onChange, project, script, onScript, bucket, onBucket, lacks }: Given) {
  const say = useTexts(newTexts);
  const buckets = useQuery({ queryKey: ["buckets", project], queryFn: () => listBuckets(project) });
  const names = (buckets.data ?? []).map((one) => one.name);
  const first = names[0];
  useEffect(() => {
    if (!bucket && first) onBucket(first);
  }, [bucket, first, onBucket]);
  const target = (
    <Select
      label={say("bucket")}
      data={names}
      value={bucket || null}
      onChange={(name) => onBucket(name ?? "")}
      searchable
      allowDeselect={false}
    />
  );
  return (
    <div className={css.fields}>
      <SegmentedControl
        aria-label={say("code")}
        value={form.how}
        onChange={(how) => {
          onChange({ how: how as Form["how"] });
          onScript(null);
        }}
        data={(["script", "package", "command"] as const).map((value) => ({ value, label: say(`how.${value}`) }))}
      />
      {form.how === "script" && (
        <>
          <FileInput
            label={say("script")}
            description={say("script.hint")}
            accept=".py,text/x-python"
            value={script}
            onChange={onScript}
            error={lacks.includes("how") && say("script.need")}
            clearable
          />
          <TextInput
            label={say("requirements")}
            description={say("requirements.hint")}
            value={form.requirements}
            onChange={(event) => onChange({ requirements: event.currentTarget.value })}
          />
          {target}
        </>
      )}
      {form.how === "package" && (
        <>
          <TextInput
            label={say("package")}
            description={say("package.hint")}
            value={form.package}
            onChange={(event) => onChange({ package: event.currentTarget.value })}
            error={lacks.includes("package") && say("package.need")}
          />
          <FileInput
            label={say("package.file")}
            accept=".gz,.tgz"
            value={script}
            onChange={(file) => {
              onScript(file);
              if (file && bucket) onChange({ package: `gs://${bucket}/console/${file.name}` });
            }}
            clearable
          />
          {script && target}
          <TextInput
            label={say("module")}
            value={form.module}
            onChange={(event) => onChange({ module: event.currentTarget.value })}
            error={lacks.includes("module") && say("module.need")}
          />
        </>
      )}
      {form.how === "command" && (
        <Textarea
          label={say("command")}
          autosize
          maxRows={12}
          value={form.command}
          onChange={(event) => onChange({ command: event.currentTarget.value })}
          error={lacks.includes("command") && say("command.need")}
        />
      )}
      <Textarea
        label={say("args")}
        autosize
        maxRows={12}
        value={form.args}
        onChange={(event) => onChange({ args: event.currentTarget.value })}
      />
    </div>
  );
}

function DataFields({ form, onChange, project, lacks }: Given) {
  const say = useTexts(newTexts);
  const datasets = useList<Dataset>(`projects/${project}/locations/-`, "datasets");
  const known = datasets.items.map((one) => ({ value: idOf(one.name ?? ""), label: one.displayName ?? "" }));
  const all =
    !form.dataset || known.some((one) => one.value === form.dataset)
      ? known
      : [...known, { value: form.dataset, label: form.dataset }];
  return (
    <Card title={say("data")}>
      <div className={css.fields}>
        <Select
          label={say("dataset")}
          placeholder={say("dataset.none")}
          data={all}
          value={form.dataset || null}
          onChange={(dataset) => onChange({ dataset: dataset ?? "" })}
          searchable
          clearable
        />
        {form.dataset && (
          <fieldset className={css.splits}>
            <legend>{say("splits")}</legend>
            {(["training", "validation", "test"] as const).map((split) => (
              <NumberInput
                key={split}
                label={say(split)}
                min={0}
                max={1}
                step={0.05}
                decimalScale={3}
                value={form[split]}
                onChange={(value) => onChange({ [split]: Number(value) || 0 })}
                error={lacks.includes("training")}
              />
            ))}
            {lacks.includes("training") && <p className={css.error}>{say("splits.need")}</p>}
          </fieldset>
        )}
      </div>
    </Card>
  );
}
