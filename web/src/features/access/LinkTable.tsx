// The read-only links that are open, and taking them back.
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ask } from "~/api/client";
import type { Links } from "~/api/console.gen";
import { Problem, Waiting } from "~/design/Notice";
import plain from "~/design/plain.module.css";
import { Ago } from "~/design/Time";
import { useTexts } from "~/i18n";
import { accessTexts } from "./texts";

interface Given {
  project: string;
  /** only those to this run */
  run?: string;
  /** what stands there when there are none */
  none?: ReactNode;
  head?: ReactNode;
}

export function LinkTable({ project, run, none, head }: Given) {
  const say = useTexts(accessTexts);
  const queries = useQueryClient();
  const links = useQuery({
    queryKey: ["links", project],
    queryFn: () => ask<Links>("/links", { query: { project } }),
  });
  const revoke = useMutation({
    mutationFn: (id: string) => ask<void>("/links", { method: "DELETE", query: { id } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["links"] }),
  });
  if (links.isPending) return <Waiting lines={2} />;
  if (links.isError) return <Problem error={links.error} retry={() => void links.refetch()} />;
  const shown = links.data.links.filter((one) => !run || one.run === run);
  if (shown.length === 0) return none;
  return (
    <div>
      {head}
      {revoke.isError && <Problem error={revoke.error} />}
      <table className={plain.table}>
        <thead>
          <tr>
            {!run && <th>{say("run")}</th>}
            <th>{say("created")}</th>
            <th>{say("expires")}</th>
            <th aria-label={say("revoke")} />
          </tr>
        </thead>
        <tbody>
          {shown.map((link) => (
            <tr key={link.id}>
              {!run && (
                <td>
                  <Link to={`/${link.run}` as "/"}>{link.title}</Link>
                </td>
              )}
              <td>
                <Ago at={link.created} />
              </td>
              <td>
                <Ago at={link.expires} future />
              </td>
              <td>
                <Button
                  size="compact-sm"
                  variant="default"
                  loading={revoke.isPending && revoke.variables === link.id}
                  onClick={() => revoke.mutate(link.id)}
                >
                  {say("revoke")}
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
