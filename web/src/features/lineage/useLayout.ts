// Positions from the worker: the newest question's answer wins, and the old positions stay until it is there.
import { useEffect, useRef, useState } from "react";
import type { Asked, Placed } from "./layout";
import LayoutWorker from "./layout.worker?worker";

export function useLayout(asked: Asked): Placed {
  const [placed, setPlaced] = useState<Placed>({});
  const worker = useRef<Worker | undefined>(undefined);
  const newest = useRef(0);
  useEffect(() => {
    const made = new LayoutWorker();
    made.onmessage = (event: MessageEvent<{ number: number; placed: Placed }>) => {
      if (event.data.number === newest.current) setPlaced(event.data.placed);
    };
    worker.current = made;
    return () => made.terminate();
  }, []);
  useEffect(() => {
    newest.current += 1;
    worker.current?.postMessage({ number: newest.current, asked });
  }, [asked]);
  return placed;
}
