// Whether the server answers and somebody is signed in: what the shell shows above every page.

export type Health = "well" | "lost" | "signed-out";

type Listener = () => void;

class Watch {
  private state: Health = "well";
  private readonly listeners = new Set<Listener>();

  readonly subscribe = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): Health => this.state;

  lost(): void {
    if (this.state !== "signed-out") this.become("lost");
  }

  reached(): void {
    if (this.state === "lost") this.become("well");
  }

  signedOut(): void {
    this.become("signed-out");
  }

  signedIn(): void {
    this.become("well");
  }

  private become(next: Health): void {
    if (next === this.state) return;
    this.state = next;
    for (const listener of this.listeners) listener();
  }
}

export const health = new Watch();
