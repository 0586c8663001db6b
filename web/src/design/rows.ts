// The rows of a long list that are drawn: however far one scrolls at once, few new ones with each frame.
import type { VirtualItem } from "@tanstack/react-virtual";
import { useEffect, useReducer, useRef } from "react";

/** New rows that one frame has time for. */
const AT_ONCE = 10;

interface Sight {
  startIndex: number;
  endIndex: number;
}

/** Those of the rows about the place that is in sight which were drawn before, and some more: those in sight first. */
export function useRows(about: readonly VirtualItem[], sight: Sight | null): readonly VirtualItem[] {
  const drawn = useRef<ReadonlySet<VirtualItem["key"]>>(NONE);
  const [, goOn] = useReducer((count: number) => count + 1, 0);
  const rows = next(about, drawn.current, sight);
  const lacking = rows.length < about.length;
  useEffect(() => {
    drawn.current = new Set(rows.map(({ key }) => key));
    if (!lacking) return;
    const frame = requestAnimationFrame(goOn);
    return () => cancelAnimationFrame(frame);
  });
  return rows;
}

const NONE: ReadonlySet<VirtualItem["key"]> = new Set();

export function next(
  about: readonly VirtualItem[],
  drawn: ReadonlySet<VirtualItem["key"]>,
  sight: Sight | null,
): readonly VirtualItem[] {
  const fresh = about.filter(({ key }) => !drawn.has(key));
  if (fresh.length <= AT_ONCE) return about;
  const far = ({ index }: VirtualItem) => !sight || index < sight.startIndex || index > sight.endIndex;
  const first = [...fresh.filter((one) => !far(one)), ...fresh.filter(far)].slice(0, AT_ONCE);
  const now = new Set(first);
  return about.filter((one) => drawn.has(one.key) || now.has(one));
}
