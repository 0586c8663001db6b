// A state as a coloured word with a shape of its own, so that colour is never the only sign.
import { type Say, textsNow, useTexts } from "~/i18n";
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

/** A state as people call it, in the language of the page, for where no component can stand. */
export function tellState(state: string): string {
  return told(textsNow(designTexts), stateWord(state));
}

function told(say: Say<(typeof designTexts.keys)[number]>, word: string): string {
  return word in TONES ? say(`state.${word}` as "state.RUNNING") : word || say("state.UNKNOWN");
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
      {told(say, word)}
    </span>
  );
}
