// What can be done to a run: cancel, clone, share, delete.
import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { CircleStop, Copy, Share2, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { vertex } from "~/api/client";
import type { RunDetails } from "~/api/console.gen";
import { Problem } from "~/design/Notice";
import { isOver, stateWord } from "~/design/State";
import { ShareDialog } from "~/features/access";
import { useTexts } from "~/i18n";
import { trainingTexts } from "./texts";

export function Actions({ details: { run } }: { details: RunDetails }) {
  const say = useTexts(trainingTexts);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [open, setOpen] = useState<"cancel" | "remove" | "share" | undefined>();
  const project = run.name.split("/")[1] ?? "";
  const close = () => setOpen(undefined);
  const over = isOver(run.state);
  return (
    <>
      {!over && stateWord(run.state) !== "CANCELLING" && (
        <Button variant="default" leftSection={<CircleStop size={16} aria-hidden />} onClick={() => setOpen("cancel")}>
          {say("cancel")}
        </Button>
      )}
      <Button
        variant="default"
        leftSection={<Copy size={16} aria-hidden />}
        onClick={() =>
          void navigate({ to: `/projects/${project}/training/new` as "/", search: { from: run.name } as never })
        }
      >
        {say("clone")}
      </Button>
      <Button variant="default" leftSection={<Share2 size={16} aria-hidden />} onClick={() => setOpen("share")}>
        {say("share")}
      </Button>
      {over && (
        <Button variant="default" leftSection={<Trash2 size={16} aria-hidden />} onClick={() => setOpen("remove")}>
          {say("remove")}
        </Button>
      )}
      {open === "cancel" && (
        <Sure
          title={say("cancel.title", { name: run.title })}
          text={say("cancel.text")}
          sure={say("cancel.sure")}
          act={() => vertex(`${run.name}:cancel`, { method: "POST", body: {} })}
          onDone={() => {
            close();
            void queries.invalidateQueries({ queryKey: ["of-project"] });
          }}
          onClose={close}
        />
      )}
      {open === "remove" && (
        <Sure
          title={say("remove.title", { name: run.title })}
          text={say("remove.text")}
          sure={say("remove.sure")}
          act={async () => {
            await vertex(run.name, { method: "DELETE" });
            if (run.job && run.job !== run.name) await vertex(run.job, { method: "DELETE" });
          }}
          onDone={() => void navigate({ to: `/projects/${project}/training` as "/" })}
          onClose={close}
        />
      )}
      {open === "share" && <ShareDialog run={run.name} title={run.title} onClose={close} />}
    </>
  );
}

interface Given {
  title: string;
  text: ReactNode;
  sure: string;
  act: () => Promise<unknown>;
  onDone: () => void;
  onClose: () => void;
}

function Sure({ title, text, sure, act, onDone, onClose }: Given) {
  const doing = useMutation({ mutationFn: act, onSuccess: onDone });
  return (
    <Modal opened onClose={onClose} title={title}>
      <p>{text}</p>
      {doing.isError && <Problem error={doing.error} />}
      <Button color="red" mt="md" loading={doing.isPending} onClick={() => doing.mutate()}>
        {sure}
      </Button>
    </Modal>
  );
}
