import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ask } from "~/api/client";
import type { Links } from "~/api/console.gen";
import { health } from "~/api/health";
import { useProject } from "~/api/session";
import { Problem, Waiting } from "~/design/Notice";
import { Card, Page } from "~/design/Page";
import plain from "~/design/plain.module.css";
import { Ago } from "~/design/Time";
import { useTexts } from "~/i18n";
import css from "./Access.module.css";
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
  const queries = useQueryClient();
  const links = useQuery({
    queryKey: ["links", project.id],
    queryFn: () => ask<Links>("/links", { query: { project: project.id } }),
  });
  const revoke = useMutation({
    mutationFn: (id: string) => ask<void>("/links", { method: "DELETE", query: { id } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["links"] }),
  });
  return (
    <Card title={say("links")}>
      <p className={css.muted}>{say("links.why")}</p>
      {links.isPending && <Waiting lines={2} />}
      {links.isError && <Problem error={links.error} retry={() => void links.refetch()} />}
      {revoke.isError && <Problem error={revoke.error} />}
      {links.data?.links.length === 0 && <p>{say("links.none")}</p>}
      {!!links.data?.links.length && (
        <table className={plain.table}>
          <thead>
            <tr>
              <th>{say("run")}</th>
              <th>{say("created")}</th>
              <th>{say("expires")}</th>
              <th aria-label={say("revoke")} />
            </tr>
          </thead>
          <tbody>
            {links.data.links.map((link) => (
              <tr key={link.id}>
                <td>
                  <Link to={`/${link.run}` as "/"}>{link.title}</Link>
                </td>
                <td>
                  <Ago at={link.created} />
                </td>
                <td>
                  <Ago at={link.expires} future />
                </td>
                <td>
                  <Button size="compact-sm" variant="default" onClick={() => revoke.mutate(link.id)}>
                    {say("revoke")}
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
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
