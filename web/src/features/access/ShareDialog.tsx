import { Button, Modal, SegmentedControl } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ask } from "~/api/client";
import type { LinkInfo } from "~/api/console.gen";
import { Code } from "~/design/Copy";
import { Notice, Problem } from "~/design/Notice";
import { useTexts } from "~/i18n";
import { formatInstant } from "~/lib/times";
import css from "./Access.module.css";
import { LinkTable } from "./LinkTable";
import { accessTexts } from "./texts";

const DAYS = ["1", "7", "30"];

export function ShareDialog({ run, title, onClose }: { run: string; title: string; onClose: () => void }) {
  const say = useTexts(accessTexts);
  const queries = useQueryClient();
  const [days, setDays] = useState("7");
  const make = useMutation({
    mutationFn: () => ask<LinkInfo>("/links", { method: "POST", body: { run, days: Number(days) } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["links"] }),
  });
  return (
    <Modal opened onClose={onClose} title={say("share", { title })} size="lg">
      <div className={css.stack}>
        <p>{say("share.why")}</p>
        <p>{say("share.shown")}</p>
        {!make.data && (
          <div className={css.row}>
            <span>{say("share.days")}</span>
            <SegmentedControl
              aria-label={say("share.days")}
              value={days}
              onChange={setDays}
              data={DAYS.map((value) => ({ value, label: say("day", { count: Number(value) }) }))}
            />
            <Button loading={make.isPending} onClick={() => make.mutate()}>
              {say("share.make")}
            </Button>
          </div>
        )}
        {make.isError && <Problem error={make.error} />}
        {make.data && (
          <>
            <Code text={make.data.url} label={say("share", { title })} />
            <Notice>
              {say("share.until", { time: formatInstant(make.data.expires) })} {say("share.once")}
            </Notice>
          </>
        )}
        <LinkTable
          project={run.split("/")[1] ?? ""}
          run={run}
          head={<h3 className={css.head}>{say("share.open")}</h3>}
        />
      </div>
    </Modal>
  );
}
