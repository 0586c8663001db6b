// The log of a job: searched, filtered, read back to its beginning, and followed as it grows.
import { Button, Select, Switch } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { LogLine } from "~/api/console.gen";
import { useAddress } from "~/design/address";
import { CopyButton } from "~/design/Copy";
import { Empty, Problem, Waiting } from "~/design/Notice";
import { SearchBox } from "~/design/SearchBox";
import { useTexts } from "~/i18n";
import { Line } from "./Line";
import css from "./Logs.module.css";
import { Tail } from "./tail";
import { logTexts } from "./texts";

const SEVERITIES = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
const ROW = 22;
/** Pixels from an end at which more is asked for. */
const NEAR = 600;

export interface Named {
  task: string;
  label: string;
}

export function LogView({ job, tasks }: { job: string; tasks: readonly string[] }) {
  const say = useTexts(logTexts);
  const [address, change] = useAddress();
  const { task = "", severity = "", q = "" } = address;
  const at = Number(address.at) || 0;
  const tail = useMemo(() => new Tail(job, { task, severity, search: q }, at), [job, task, severity, q, at]);
  useEffect(() => {
    void tail.start();
    return () => tail.stop();
  }, [tail]);
  const held = useSyncExternalStore(tail.subscribe, tail.get);
  const [wrap, setWrap] = useState(true);
  const find = useCallback((text: string) => change({ q: text, at: "" }), [change]);
  const names = useMemo(() => [...tasks, "service"], [tasks]);
  const command = `trig logs ${job}${task ? ` --replica ${task}` : ""}${held.end === "over" ? "" : " --follow"}`;
  return (
    <section className={css.view} aria-label={say("log")}>
      <div className={css.tools}>
        <SearchBox value={q} onChange={find} label={say("search")} />
        <Select
          aria-label={say("severity")}
          placeholder={say("severity")}
          data={SEVERITIES.map((one) => ({ value: one, label: say("atLeast", { severity: one }) }))}
          value={severity || null}
          onChange={(next) => change({ severity: next ?? "", at: "" })}
          clearable
          className={css.choice}
        />
        <Select
          aria-label={say("replica")}
          placeholder={say("replica")}
          data={names.map((one) => ({ value: one, label: one === "service" ? say("service") : one }))}
          value={task || null}
          onChange={(next) => change({ task: next ?? "", at: "" })}
          clearable
          searchable={names.length > 12}
          className={css.choice}
        />
        <Switch label={say("wrap")} checked={wrap} onChange={(event) => setWrap(event.currentTarget.checked)} />
        <span className={css.status} data-live={held.end === "live" || undefined}>
          {held.end === "live" ? say("live") : held.end === "over" ? say("over") : ""}
        </span>
        <CopyButton text={command} label={say("command")} />
      </div>
      {held.error !== undefined && <Problem error={held.error} retry={() => void tail.start()} />}
      {held.asking === "first" && held.lines.length === 0 && <Waiting lines={12} height={420} />}
      {held.asking === "" && held.lines.length === 0 && held.error === undefined && (
        <Empty title={say(q || severity || task ? "nothing" : held.end === "live" ? "soon" : "empty")} />
      )}
      {held.lines.length > 0 && <Lines tail={tail} wrap={wrap} from={at} names={names} search={q} />}
    </section>
  );
}

interface Given {
  tail: Tail;
  wrap: boolean;
  /** the instant that was asked for; 0 for the end */
  from: number;
  names: readonly string[];
  search: string;
}

function Lines({ tail, wrap, from, names, search }: Given) {
  const say = useTexts(logTexts);
  const held = useSyncExternalStore(tail.subscribe, tail.get);
  const { lines } = held;
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [stuck, setStuck] = useState(from === 0);
  const last = useRef(0);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 20,
    getItemKey: (index) => lines[index]?.id ?? index,
  });
  useKeptPlace(box, lines, virtual.getTotalSize(), stuck);
  const toEnd = () => {
    setStuck(true);
    box.current?.scrollTo({ top: box.current.scrollHeight });
  };
  const scrolled = () => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = box.current ?? {};
    // Lines that turn out higher than was thought move the end away: only who scrolls up wants to leave it.
    if (scrollTop < last.current - ROW) setStuck(false);
    else if (scrollHeight - scrollTop - clientHeight < ROW && !held.newer) setStuck(true);
    last.current = scrollTop;
    if (scrollTop < NEAR) void tail.more("older");
    if (scrollHeight - scrollTop - clientHeight < NEAR) void tail.more("newer");
  };
  const toggle = useCallback((id: string) => {
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  }, []);
  return (
    <div className={css.frame}>
      <div
        ref={box}
        className={css.scroll}
        onScroll={scrolled}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={say("log")}
      >
        <div className={css.edge}>
          {held.older ? say(held.asking === "older" ? "looking" : "earlier") : say("start")}
        </div>
        <div className={css.lines} data-wrap={wrap || undefined} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const line = lines[item.index] as LogLine;
            return (
              <div
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                className={css.item}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <Line
                  line={line}
                  colour={names.indexOf(line.task)}
                  open={open.has(line.id)}
                  onToggle={toggle}
                  search={search}
                />
              </div>
            );
          })}
        </div>
        {held.asking === "newer" && <div className={css.edge}>{say("looking")}</div>}
      </div>
      {!stuck && (
        <Button
          className={css.down}
          size="compact-sm"
          leftSection={<ArrowDown size={14} aria-hidden />}
          onClick={toEnd}
        >
          {say(held.end === "live" ? "follow" : "end")}
        </Button>
      )}
    </div>
  );
}

/** Keep what is in sight where it is when lines come before it; keep the end in sight when it was. */
function useKeptPlace(
  box: React.RefObject<HTMLDivElement | null>,
  lines: readonly LogLine[],
  height: number,
  stuck: boolean,
): void {
  const before = useRef({ first: "", height: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    const first = lines[0]?.id ?? "";
    if (element && stuck) element.scrollTop = element.scrollHeight;
    else if (element && before.current.first && before.current.first !== first)
      element.scrollTop += height - before.current.height;
    before.current = { first, height };
  }, [box, lines, height, stuck]);
}
