// The instant that is shown: the present while a run is watched, or wherever the slider stands; it can play.
import { useCallback, useEffect, useRef, useState } from "react";
import type { Picture } from "~/api/console.gen";
import { useNow } from "~/design/Time";

export const SPEEDS = [0.25, 0.5, 1, 2, 5, 10, 60] as const;

export interface Instant {
  at: number;
  /** whether it is the present of a run that goes on, or the end of one that is over */
  live: boolean;
  from: number;
  to: number;
  playing: boolean;
  speed: number;
  seek: (at: number | undefined) => void;
  play: (on: boolean) => void;
  setSpeed: (speed: number) => void;
}

export function useInstant(picture: Picture, asked: string | undefined): Instant {
  const now = useNow();
  const from = picture.since;
  const to = Math.max(from + 1, endOf(picture, now));
  const [held, setHeld] = useState<number | undefined>(() => instantOf(asked));
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const begin = useRef(held);
  begin.current = held;
  const end = useRef(to);
  end.current = to;
  useEffect(() => {
    const wanted = instantOf(asked);
    if (wanted !== undefined) setHeld(wanted);
  }, [asked]);
  useEffect(() => {
    if (!playing) return;
    let last = performance.now();
    let next = begin.current ?? from;
    let frame = requestAnimationFrame(function step(time) {
      next += (time - last) * 1000 * speed;
      last = time;
      if (next < end.current) {
        setHeld(next);
        frame = requestAnimationFrame(step);
      } else {
        setHeld(undefined);
        setPlaying(false);
      }
    });
    return () => cancelAnimationFrame(frame);
  }, [playing, speed, from]);
  const seek = useCallback((at: number | undefined) => {
    setPlaying(false);
    setHeld(at);
  }, []);
  const play = useCallback(
    (on: boolean) => {
      if (on) setHeld((at) => (at === undefined || at >= end.current ? from : at));
      setPlaying(on);
    },
    [from],
  );
  const at = held === undefined ? to : Math.min(Math.max(held, from), to);
  return { at, live: held === undefined, from, to, playing, speed, seek, play, setSpeed };
}

/** Until when there is something to see: the last thing observed (by the server's clock), or now while a run lives. */
function endOf(picture: Picture, now: number): number {
  const steps = picture.edges.map((edge) => edge.amounts.at(-1)?.time ?? edge.since);
  return Math.max(picture.until || now, ...steps, ...picture.nodes.map((node) => Math.max(node.since, node.until)));
}

function instantOf(text: string | undefined): number | undefined {
  return text && /^\d{15,17}$/.test(text) ? Number(text) : undefined;
}
