// What a new job is told beside its code: labels, how long it may run, as whom.
import { Textarea, TextInput } from "@mantine/core";
import { Card } from "~/design/Page";
import { useTexts } from "~/i18n";
import type { Form } from "./form";
import css from "./New.module.css";
import { newTexts } from "./texts";

interface Given {
  form: Form;
  onChange: (changes: Partial<Form>) => void;
  lacks: readonly (keyof Form)[];
}

export function Terms({ form, onChange, lacks }: Given) {
  const say = useTexts(newTexts);
  return (
    <Card title={say("terms")}>
      <div className={css.fields}>
        <Textarea
          label={say("labels")}
          description={say("labels.hint")}
          value={form.labels}
          onChange={(event) => onChange({ labels: event.currentTarget.value })}
          error={lacks.includes("labels") && say("labels.need")}
          autosize
          minRows={1}
          maxRows={8}
        />
        <TextInput
          label={say("timeout")}
          description={say("timeout.hint")}
          value={form.timeout}
          onChange={(event) => onChange({ timeout: event.currentTarget.value })}
          error={lacks.includes("timeout") && say("timeout.need")}
        />
        <TextInput
          label={say("account")}
          description={say("account.hint")}
          value={form.account}
          onChange={(event) => onChange({ account: event.currentTarget.value })}
          error={lacks.includes("account") && say("account.need")}
          inputMode="email"
        />
      </div>
    </Card>
  );
}
