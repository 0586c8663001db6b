// One stream of server-sent events per page that is looked at. Topics come and go; the stream is opened anew with them.
// A hidden page has no stream: browsers allow a server only six connections.
import { address } from "./client";
import { health } from "./health";

type Handler = (data: unknown) => void;

interface Topic {
  /** event name -> who wants it */
  handlers: Map<string, Set<Handler>>;
}

const HIDDEN_FOR = 5_000;
const AGAIN_AFTER = 1_000;

class Live {
  private readonly topics = new Map<string, Topic>();
  private source: EventSource | undefined;
  private cursor = "";
  private opening: ReturnType<typeof setTimeout> | undefined;
  private hiding: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    document.addEventListener("visibilitychange", () => this.seen());
    health.subscribe(() => health.get() === "well" && !this.source && this.reopen(0));
  }

  /** Have `handler` called with each event of a name in a topic, until the function that comes back is called. */
  follow(topic: string, event: string, handler: Handler): () => void {
    const known = this.topics.get(topic) ?? { handlers: new Map() };
    const isNew = !this.topics.has(topic);
    this.topics.set(topic, known);
    const set = known.handlers.get(event) ?? new Set();
    const newEvent = !known.handlers.has(event);
    known.handlers.set(event, set);
    set.add(handler);
    if (isNew || newEvent) this.reopen(0);
    return () => {
      set.delete(handler);
      if (set.size === 0) known.handlers.delete(event);
      if (known.handlers.size === 0 && this.topics.delete(topic)) this.reopen(50);
    };
  }

  private reopen(after: number): void {
    clearTimeout(this.opening);
    this.opening = setTimeout(() => this.open(), after);
  }

  private open(): void {
    this.source?.close();
    this.source = undefined;
    if (this.topics.size === 0 || document.hidden || health.get() === "signed-out") return;
    const query = new URLSearchParams([...this.topics.keys()].map((topic) => ["topic", topic]));
    if (this.cursor) query.set("after", this.cursor);
    const source = new EventSource(`${address("/live")}?${query}`);
    this.source = source;
    source.onopen = () => health.reached();
    source.onerror = () => this.broken(source);
    const names = new Set([...this.topics.values()].flatMap((topic) => [...topic.handlers.keys()]));
    for (const name of names) source.addEventListener(name, (event) => this.arrived(name, event));
  }

  private arrived(name: string, event: MessageEvent<string>): void {
    if (event.lastEventId) this.cursor = event.lastEventId;
    const data: unknown = JSON.parse(event.data);
    const topic = (data as { topic?: string }).topic;
    for (const [key, known] of this.topics) {
      if (topic !== undefined && topic !== key) continue;
      for (const handler of known.handlers.get(name) ?? []) handler(data);
    }
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
