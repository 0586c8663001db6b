// One stream of server-sent events that comes back after it broke, from where it was.
// A hidden page has none, nor one that was left and is kept for the way back: browsers allow a server six connections.
import { address } from "./client";
import { health } from "./health";

const HIDDEN_FOR = 5_000;
const AGAIN_AFTER = 1_000;

export interface Wanted {
  /** path below the console's API */
  path: string;
  query: readonly (readonly [name: string, value: string])[];
  /** names of events */
  events: Iterable<string>;
  /** called with each of them, its data read as JSON */
  arrived: (event: string, data: unknown) => void;
  /** where to go on, from an earlier stream's `cursor` */
  after?: string;
}

export class Stream {
  /** what the server said last of where to go on */
  cursor: string;
  private source: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly stops: (() => void)[];

  constructor(private readonly wanted: Wanted) {
    this.cursor = wanted.after ?? "";
    const seen = () => this.seen();
    const left = () => this.shut();
    document.addEventListener("visibilitychange", seen);
    window.addEventListener("pagehide", left);
    window.addEventListener("pageshow", seen);
    const unsubscribe = health.subscribe(() => health.get() === "well" && !this.source && this.open());
    this.stops = [
      () => document.removeEventListener("visibilitychange", seen),
      () => window.removeEventListener("pagehide", left),
      () => window.removeEventListener("pageshow", seen),
      unsubscribe,
    ];
    this.open();
  }

  close(): void {
    for (const stop of this.stops) stop();
    this.shut();
  }

  private shut(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
  }

  private open(): void {
    this.shut();
    if (document.hidden || health.get() === "signed-out") return;
    const query = new URLSearchParams(this.wanted.query.map(([name, value]) => [name, value]));
    if (this.cursor) query.set("after", this.cursor);
    const source = new EventSource(`${address(this.wanted.path)}?${query}`);
    this.source = source;
    source.onopen = () => health.reached();
    source.onerror = () => this.broken(source);
    for (const event of this.wanted.events) source.addEventListener(event, (one) => this.arrived(event, one));
  }

  private arrived(event: string, message: MessageEvent<string>): void {
    if (message.lastEventId) this.cursor = message.lastEventId;
    this.wanted.arrived(event, JSON.parse(message.data));
  }

  private broken(source: EventSource): void {
    if (source !== this.source) return;
    this.shut();
    // The stream does not tell why it broke; a small question does, and marks the page as lost or signed out.
    void fetch(address("/session"), { credentials: "same-origin" })
      .then((answer) => (answer.status === 401 ? health.signedOut() : answer.ok ? health.reached() : health.lost()))
      .catch(() => health.lost())
      .finally(() => {
        if (!this.source) this.timer = setTimeout(() => this.open(), AGAIN_AFTER);
      });
  }

  private seen(): void {
    clearTimeout(this.timer);
    if (document.hidden) this.timer = setTimeout(() => this.shut(), HIDDEN_FOR);
    else if (!this.source) this.open();
  }
}
