// The part of a log that the page holds: it grows at both ends, and at the newest one by itself.
import { ask } from "~/api/client";
import type { LogLine, LogLines, LogPage } from "~/api/console.gen";
import { Stream } from "~/api/stream";

export interface Filters {
  task: string;
  severity: string;
  search: string;
}

export type Way = "older" | "newer";

export interface Held {
  lines: readonly LogLine[];
  older: boolean;
  newer: boolean;
  /** `first` until anything is known; otherwise the end at which more is asked for */
  asking: "first" | Way | "";
  error: unknown;
  /** whether lines come by themselves, or all have come */
  end: "" | "live" | "over";
}

const PAGE = 500;
/** Lines that are held at most; beyond that, the far end is let go and can be asked for again. */
const MOST = 20_000;
const START: Held = { lines: [], older: false, newer: false, asking: "first", error: undefined, end: "" };

export class Tail {
  private held: Held = START;
  private older = "";
  private newer = "";
  private stream: Stream | undefined;
  private readonly stopping = new AbortController();
  private readonly listeners = new Set<() => void>();
  private waiting: LogLine[] = [];
  private frame = 0;

  /** `at` is where to begin, in microseconds; 0 for the end. */
  constructor(
    private readonly job: string,
    private readonly filters: Filters,
    private readonly at: number,
  ) {}

  readonly get = (): Held => this.held;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  async start(): Promise<void> {
    this.become({ ...START });
    await this.asked("first", async () => {
      const page = await this.page(this.at ? { at: this.at } : {});
      this.older = page.older;
      this.take(page.lines, []);
      this.forward(page);
      if (!this.at && page.lines.length === 0) await this.back();
    });
  }

  stop(): void {
    this.stopping.abort();
    this.stream?.close();
    cancelAnimationFrame(this.frame);
  }

  /** Ask for what is next at an end; nothing happens while that is under way or nothing is left. */
  async more(way: Way): Promise<void> {
    if (this.held.asking || !this.held[way]) return;
    await this.asked(way, () => (way === "older" ? this.back() : this.on()));
  }

  private async asked(what: Held["asking"], work: () => Promise<void>): Promise<void> {
    this.become({ asking: what, error: undefined });
    try {
      await work();
      this.become({ asking: "" });
    } catch (error) {
      if (!this.stopping.signal.aborted) this.become({ asking: "", error });
    }
  }

  /** Go back until something is found: a search may have to look through pages that hold nothing. */
  private async back(): Promise<void> {
    while (this.older && !this.stopping.signal.aborted) {
      const page = await this.page({ before: this.older });
      this.older = page.older;
      this.take(page.lines, []);
      if (page.lines.length > 0) return;
    }
  }

  private async on(): Promise<void> {
    while (this.newer && !this.stopping.signal.aborted) {
      const page = await this.page({ after: this.newer });
      this.take([], page.lines);
      this.forward(page);
      if (page.lines.length > 0) return;
    }
  }

  private forward(page: LogPage): void {
    this.newer = page.newer;
    this.become({ newer: page.newer !== "", end: page.newer ? "" : this.held.end });
    if (page.newer || this.stream || this.stopping.signal.aborted) return;
    const stream = new Stream({
      path: "/logs/stream",
      query: Object.entries({ job: this.job, ...this.filters }).filter(([, value]) => value !== ""),
      events: ["lines", "end"],
      arrived: (event, data) => {
        if (event === "lines") return this.came((data as LogLines).lines);
        stream.close();
        this.flush();
        this.become({ end: "over" });
      },
      after: page.follow,
    });
    this.stream = stream;
    this.become({ end: "live" });
  }

  /** Lines come many at a time; the page is drawn once per frame. */
  private came(lines: readonly LogLine[]): void {
    this.waiting.push(...lines);
    this.frame ||= requestAnimationFrame(() => this.flush());
  }

  private flush(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const lines = this.waiting;
    this.waiting = [];
    if (lines.length > 0) this.take([], lines);
  }

  private take(before: readonly LogLine[], after: readonly LogLine[]): void {
    let lines = [...before, ...this.held.lines, ...after];
    if (lines.length > MOST && after.length > 0) {
      lines = lines.slice(-MOST);
      this.older = lines[0]?.id ?? "";
    } else if (lines.length > MOST) {
      lines = lines.slice(0, MOST);
      this.newer = lines.at(-1)?.id ?? "";
      this.stream?.close();
      this.stream = undefined;
      this.become({ newer: true, end: "" });
    }
    this.become({ lines, older: this.older !== "" });
  }

  private page(place: Record<string, string | number>): Promise<LogPage> {
    const query = { job: this.job, ...this.filters, ...place, limit: PAGE };
    return ask<LogPage>("/logs", { query, signal: this.stopping.signal });
  }

  private become(change: Partial<Held>): void {
    this.held = { ...this.held, ...change };
    for (const listener of this.listeners) listener();
  }
}
