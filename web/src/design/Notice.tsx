// What a person has to know at once: problems, warnings, hints; and what stands where there is nothing yet.
import { Button } from "@mantine/core";
import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError, SignedOut, Unreachable } from "~/api/problems";
import { language, useTexts } from "~/i18n";
import { said } from "~/i18n/said";
import css from "./Notice.module.css";
import { Said } from "./Said";
import { designTexts } from "./texts";

type Kind = "failed" | "waits" | "info";

const ICONS = { failed: CircleAlert, waits: TriangleAlert, info: Info };

export function Notice({ kind = "info", title, children }: { kind?: Kind; title?: string; children?: ReactNode }) {
  const Icon = ICONS[kind];
  return (
    <div className={css.notice} data-kind={kind} role={kind === "failed" ? "alert" : "status"}>
      <Icon size={18} aria-hidden className={css.icon} />
      <div className={css.text}>
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
    </div>
  );
}

/** What went wrong, in the server's words, and a way to try again. */
export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const say = useTexts(designTexts);
  if (error instanceof SignedOut) return null; // the shell says so
  const text =
    error instanceof Unreachable
      ? say("problem.lost")
      : error instanceof ApiError && error.code === 404
        ? error.message || say("problem.missing")
        : String(error instanceof Error ? error.message : error);
  return (
    <Notice kind="failed" title={say("problem.title")}>
      {error instanceof ApiError && <Kind status={error.status} text={text} />}
      <p className={css.words}>{error instanceof ApiError ? <Said text={text} /> : text}</p>
      {retry && !(error instanceof Unreachable) && (
        <Button size="compact-sm" variant="default" mt="xs" onClick={retry}>
          {say("retry")}
        </Button>
      )}
    </Notice>
  );
}

/** What kind of problem it is, where the server's own words are not those of the page. */
function Kind({ status, text }: { status: string; text: string }) {
  const say = useTexts(designTexts);
  const key = `problem.${status}`;
  const known = (designTexts.keys as readonly string[]).includes(key);
  const foreign = said(text, language()).some((piece) => piece.foreign);
  return known && foreign ? <p>{say(key as "problem.INTERNAL")}</p> : null;
}

export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={css.empty}>
      <h2>{title}</h2>
      {children && <div className={css.why}>{children}</div>}
      {action}
    </div>
  );
}

/** Grey lines in the place of what is being loaded: the page does not jump when it comes. */
export function Waiting({ lines = 4, height }: { lines?: number; height?: number }) {
  const say = useTexts(designTexts);
  return (
    <div
      className={css.waiting}
      aria-busy
      role="status"
      aria-label={say("loading")}
      style={height ? { minHeight: height } : undefined}
    >
      {Array.from({ length: lines }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are alike
        <span key={i} className={css.line} />
      ))}
    </div>
  );
}
