// One stream of server-sent events per page that is looked at. Topics come and go; the stream is opened anew with them.
// A hidden page has no stream: browsers allow a server only six connections.
import { address } from "./client";
import { health } from "./health";

type Handler = (data: unknown) => void;

const HIDDEN_FOR = 5_000;
const AGAIN_AFTER = 1_000;

class Live {
  /** "TOPIC|EVENT", as the server names its events -> who wants them */
  private readonly handlers = new Map<string, Set<Handler>>();
  private source: EventSource | undefined;
  private cursor = "";
  private opening: ReturnType<typeof setTimeout> | undefined;
  private hiding: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    document.addEventListener("visibilitychange", () => this.seen());
    health.subscribe(() => health.get() === "well" && !this.source && this.reopen(0));
  }

  /** Have `handler` called with each event of a kind in a topic, until the function that comes back is called. */
  follow(topic: string, event: string, handler: Handler): () => void {
    const key = `${topic}|${event}`;
    const known = this.handlers.get(key);
    if (known) {
      known.add(handler);
    } else {
      this.handlers.set(key, new Set([handler]));
      this.reopen(0);
    }
    return () => {
      const set = this.handlers.get(key);
      set?.delete(handler);
      if (set?.size === 0) {
        this.handlers.delete(key);
        this.reopen(50);
      }
    };
  }

  private reopen(after: number): void {
    clearTimeout(this.opening);
    this.opening = setTimeout(() => this.open(), after);
  }

  private open(): void {
    this.source?.close();
    this.source = undefined;
    if (this.handlers.size === 0 || document.hidden || health.get() === "signed-out") return;
    const topics = new Set([...this.handlers.keys()].map((key) => key.slice(0, key.lastIndexOf("|"))));
    const query = new URLSearchParams([...topics].map((topic) => ["topic", topic]));
    if (this.cursor) query.set("after", this.cursor);
    const source = new EventSource(`${address("/live")}?${query}`);
    this.source = source;
    source.onopen = () => health.reached();
    source.onerror = () => this.broken(source);
    for (const key of this.handlers.keys()) source.addEventListener(key, (event) => this.arrived(key, event));
  }

  private arrived(key: string, event: MessageEvent<string>): void {
    if (event.lastEventId) this.cursor = event.lastEventId;
    const data: unknown = JSON.parse(event.data);
    for (const handler of this.handlers.get(key) ?? []) handler(data);
  }

  private broken(source: EventSource): void {
    if (source !== this.source) return;
    source.close();
    this.source = undefined;
    // The stream does not tell why it broke; a small question does, and marks the page as lost or signed out.
    void fetch(address("/session"), { credentials: "same-origin" })
      .then((answer) => (answer.status === 401 ? health.signedOut() : answer.ok ? health.reached() : health.lost()))
      .catch(() => health.lost())
      .finally(() => this.reopen(AGAIN_AFTER));
  }

  private seen(): void {
    clearTimeout(this.hiding);
    if (document.hidden) {
      this.hiding = setTimeout(() => {
        this.source?.close();
        this.source = undefined;
      }, HIDDEN_FOR);
    } else if (!this.source) {
      this.reopen(0);
    }
  }
}

export const live = new Live();
