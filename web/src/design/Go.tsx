// A link within the console for where there are many of them: it follows nothing of the router, as its own links do.
import { useRouter } from "@tanstack/react-router";
import type { MouseEvent, ReactNode } from "react";

interface Given {
  /** path below /console, with its query */
  to: string;
  title?: string | undefined;
  className?: string | undefined;
  children: ReactNode;
}

export function Go({ to, title, className, children }: Given) {
  const router = useRouter();
  const go = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void router.navigate({ to: to as "/" });
  };
  return (
    <a href={`/console${to}`} title={title} className={className} onClick={go}>
      {children}
    </a>
  );
}
