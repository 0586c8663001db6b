import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { ask } from "~/api/client";
import { health } from "~/api/health";
import { useProject } from "~/api/session";
import { Problem } from "~/design/Notice";
import { Card, Page } from "~/design/Page";
import { useTexts } from "~/i18n";
import css from "./Access.module.css";
import { LinkTable } from "./LinkTable";
import { accessTexts } from "./texts";

export function AccessPage() {
  const say = useTexts(accessTexts);
  return (
    <Page title={say("title")} lead={say("lead")}>
      <OpenLinks />
      <Sessions />
    </Page>
  );
}

function OpenLinks() {
  const say = useTexts(accessTexts);
  const project = useProject();
  return (
    <Card title={say("links")}>
      <p className={css.muted}>{say("links.why")}</p>
      <LinkTable project={project.id} none={<p>{say("links.none")}</p>} />
    </Card>
  );
}

function Sessions() {
  const say = useTexts(accessTexts);
  const end = useMutation({
    mutationFn: () => ask<void>("/sessions:end", { method: "POST", body: {} }),
    onSuccess: () => health.signedOut(),
  });
  return (
    <Card title={say("sessions")}>
      <div className={css.stack}>
        <p className={css.muted}>{say("sessions.why")}</p>
        {end.isError && <Problem error={end.error} />}
        <div className={css.row}>
          <Button variant="default" loading={end.isPending} onClick={() => end.mutate()}>
            {say("sessions.end")}
          </Button>
          <span className={css.muted}>{say("sessions.sure")}</span>
        </div>
      </div>
    </Card>
  );
}
