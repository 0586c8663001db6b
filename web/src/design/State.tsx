// A state as a coloured word with a shape of its own, so that colour is never the only sign.
import { textsNow, useTexts } from "~/i18n";
import css from "./State.module.css";
import { designTexts } from "./texts";

export type Tone = "waits" | "runs" | "done" | "failed" | "ended";

const TONES: Record<string, Tone> = {
  QUEUED: "waits",
  PENDING: "waits",
  PREPARING: "waits",
  CLAIMED: "waits",
  PREPARED: "waits",
  PAUSED: "waits",
  EXPORTING: "waits",
  NAMED: "waits",
  FETCHED: "waits",
  RUNNING: "runs",
  CANCELLING: "ended",
  SUCCEEDED: "done",
  READY: "done",
  LIVE: "done",
  COMPLETE: "done",
  EXPORTED: "done",
  INSTALLED: "done",
  ADMITTED: "done",
  FAILED: "failed",
  LOST: "failed",
  EXPIRED: "failed",
  CANCELLED: "ended",
  STOPPING: "ended",
  RESTARTED: "ended",
  LEFT: "ended",
  ENDED: "ended",
};
const MARKS: Record<Tone, string> = { waits: "◔", runs: "▶", done: "✓", failed: "✕", ended: "■" };

/** The word of a state without what the API puts before it: RUNNING for JOB_STATE_RUNNING. */
export function stateWord(state: string): string {
  return state.replace(/^(JOB|PIPELINE)_STATE_/, "");
}

/** The same as the page says it, for titles and drawings. */
export function stateNow(state: string): string {
  const word = stateWord(state);
  return word in TONES ? textsNow(designTexts)(`state.${word}` as "state.RUNNING") : word;
}

/** The state that a replica is shown in: of one that has ended, how. */
export function endState(state: string, outcome: string): string {
  if (state !== "ENDED" || !outcome || outcome === "STOPPED") return state;
  return outcome === "SUCCEEDED" ? outcome : "FAILED";
}

/** How a program ended, as the page says it. */
export function outcomeNow(reason: string): string {
  const key = `outcome.${reason}`;
  const known = (designTexts.keys as readonly string[]).includes(key);
  return known ? textsNow(designTexts)(key as "outcome.FAILED") : reason;
}

export function toneOf(state: string): Tone {
  return TONES[stateWord(state)] ?? "ended";
}

export function isOver(state: string): boolean {
  return ["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"].includes(stateWord(state));
}

export function State({ state }: { state: string }) {
  const say = useTexts(designTexts);
  const word = stateWord(state);
  const tone = toneOf(state);
  return (
    <span className={css.state} data-tone={tone} title={state}>
      <span aria-hidden className={css.mark}>
        {MARKS[tone]}
      </span>
      {word in TONES ? say(`state.${word}` as "state.RUNNING") : word || say("state.UNKNOWN")}
    </span>
  );
}
