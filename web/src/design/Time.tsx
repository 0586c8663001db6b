// Instants and lengths of time, which go on while one looks.
import { useSyncExternalStore } from "react";
import { formatInstant, formatRelative, type Micros, nowMicros } from "~/lib/times";
import { formatDuration } from "~/lib/units";

const listeners = new Set<() => void>();
let second = Math.floor(Date.now() / 1000);
let ticking: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  ticking ??= setInterval(() => {
    second = Math.floor(Date.now() / 1000);
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(ticking);
      ticking = undefined;
    }
  };
}

/** The present, to the second; whoever uses it is drawn again each second. */
export function useNow(): Micros {
  useSyncExternalStore(subscribe, () => second);
  return nowMicros();
}

/** How long ago an instant was, or how far in the `future` it is; its date on hover. */
export function Ago({ at, future }: { at: Micros; future?: boolean }) {
  const now = useNow();
  if (!at) return <span>–</span>;
  return (
    <time dateTime={new Date(at / 1000).toISOString()} title={formatInstant(at)}>
      {formatRelative(at, future ? now : Math.max(now, at))}
    </time>
  );
}

/** How long something took, or takes so far. */
export function Took({ from, to }: { from: Micros; to: Micros }) {
  if (!from) return <span>–</span>;
  return to ? <span>{formatDuration(Math.max(0, to - from))}</span> : <SoFar from={from} />;
}

function SoFar({ from }: { from: Micros }) {
  const now = useNow();
  return <span>{formatDuration(Math.max(0, Math.floor((now - from) / 1e6) * 1e6))}</span>;
}
