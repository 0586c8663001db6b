// What the open page follows of the server. Topics come and go; the one stream is opened anew with them.
import { Stream } from "./stream";

type Handler = (data: unknown) => void;

class Live {
  /** "TOPIC|EVENT", as the server names its events -> who wants them */
  private readonly handlers = new Map<string, Set<Handler>>();
  private stream: Stream | undefined;
  private cursor = "";
  private opening: ReturnType<typeof setTimeout> | undefined;

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
    this.cursor = this.stream?.cursor ?? this.cursor;
    this.stream?.close();
    this.stream = undefined;
    if (this.handlers.size === 0) return;
    const topics = new Set([...this.handlers.keys()].map((key) => key.slice(0, key.lastIndexOf("|"))));
    this.stream = new Stream({
      path: "/live",
      query: [...topics].map((topic) => ["topic", topic] as const),
      events: [...this.handlers.keys()],
      arrived: (key, data) => {
        for (const handler of this.handlers.get(key) ?? []) handler(data);
      },
      after: this.cursor,
    });
  }
}

export const live = new Live();
