// Lists whose unchanged parts stay the same objects, so that who draws them draws only what changed.
import { replaceEqualDeep } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

export function useKept<T>(next: T[]): T[] {
  const before = useRef(next);
  before.current = replaceEqualDeep(before.current, next);
  return before.current;
}

const AT_ONCE = 40;

/** The beginning of a long list, some more of it with each frame: no frame has to draw all of it at once. */
export function useGradually<T>(all: readonly T[]): readonly T[] {
  const [count, setCount] = useState(AT_ONCE);
  const short = count < all.length;
  useEffect(() => {
    if (!short) return;
    const frame = requestAnimationFrame(() => setCount(count + AT_ONCE));
    return () => cancelAnimationFrame(frame);
  }, [short, count]);
  return short ? all.slice(0, count) : all;
}
