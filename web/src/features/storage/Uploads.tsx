// Files on their way into a folder: two at a time, each with its progress; leaving the page stops them.
import { Button, Progress } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { upload } from "~/api/storage";
import { Card } from "~/design/Page";
import { useTexts } from "~/i18n";
import { saidNow } from "~/i18n/said";
import { formatBytes } from "~/lib/units";
import css from "./Objects.module.css";
import { storageTexts } from "./texts";

interface Item {
  id: number;
  name: string;
  size: number;
  sent: number;
  state: "waits" | "runs" | "done" | "failed";
  problem?: string;
}

export interface UploadState {
  items: readonly Item[];
  add: (files: readonly File[]) => void;
  stop: () => void;
  clear: () => void;
}

const AT_ONCE = 2;

export function useUploads(bucket: string, prefix: string): UploadState {
  const [items, setItems] = useState<readonly Item[]>([]);
  const waiting = useRef<{ id: number; file: File }[]>([]);
  const busy = useRef(0);
  const counter = useRef(0);
  const abort = useRef(new AbortController());
  const queries = useQueryClient();
  const change = useCallback((id: number, changes: Partial<Item>) => {
    setItems((all) => all.map((one) => (one.id === id ? { ...one, ...changes } : one)));
  }, []);
  const pump = useCallback(() => {
    while (busy.current < AT_ONCE) {
      const next = waiting.current.shift();
      if (!next) return;
      busy.current += 1;
      const { id, file } = next;
      change(id, { state: "runs" });
      upload(bucket, prefix + file.name, file, (sent) => change(id, { sent }), abort.current.signal)
        .then(() => change(id, { state: "done", sent: file.size }))
        .catch((error: unknown) => change(id, { state: "failed", problem: String((error as Error).message ?? error) }))
        .finally(() => {
          busy.current -= 1;
          void queries.invalidateQueries({ queryKey: ["objects", bucket, prefix] });
          pump();
        });
    }
  }, [bucket, prefix, change, queries]);
  const add = useCallback(
    (files: readonly File[]) => {
      if (abort.current.signal.aborted) abort.current = new AbortController();
      const fresh = files.map((file) => ({ id: ++counter.current, file }));
      waiting.current.push(...fresh);
      setItems((all) => [
        ...all,
        ...fresh.map(({ id, file }) => ({ id, name: file.name, size: file.size, sent: 0, state: "waits" as const })),
      ]);
      pump();
    },
    [pump],
  );
  const stop = useCallback(() => {
    waiting.current = [];
    abort.current.abort();
    setItems((all) => all.map((one) => (one.state === "waits" ? { ...one, state: "failed" } : one)));
  }, []);
  useEffect(() => () => abort.current.abort(), []);
  return { items, add, stop, clear: () => setItems([]) };
}

export function Uploads({ state }: { state: UploadState }) {
  const say = useTexts(storageTexts);
  const { items } = state;
  if (items.length === 0) return null;
  const over = items.every((one) => one.state === "done" || one.state === "failed");
  const action = (
    <Button size="compact-sm" variant="default" onClick={over ? state.clear : state.stop}>
      {over ? say("upload.clear") : say("upload.stop")}
    </Button>
  );
  return (
    <Card title={say("uploading", { count: items.length })} actions={action}>
      <div className={css.uploads} aria-live="polite">
        {items.map((one) => (
          <div key={one.id} className={css.file}>
            <span title={one.name}>{one.name}</span>
            <Progress
              value={one.size ? (100 * one.sent) / one.size : one.state === "done" ? 100 : 0}
              aria-label={one.name}
              color={one.state === "failed" ? "red" : "blue"}
            />
            <span className={one.state === "failed" ? css.bad : undefined} title={saidNow(one.problem ?? "")}>
              {one.state === "done"
                ? say("upload.done")
                : one.state === "failed"
                  ? saidNow(one.problem ?? say("upload.failed"))
                  : `${formatBytes(one.sent)}`}
            </span>
          </div>
        ))}
      </div>
    </Card>
  );
}
