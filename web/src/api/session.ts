// Who is signed in, and how one comes and goes.
import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { ask } from "./client";
import type { ProjectItem, SessionInfo } from "./console.gen";
import { health } from "./health";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: () => ask<SessionInfo>("/session"),
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
});

/** The session of the page; only below the gate, which has loaded it. */
export function useSession(): SessionInfo {
  return useSuspenseQuery(sessionQuery).data;
}

/** The project of a page's address, by id or number; the session's own when there is none of that name. */
export function useProject(segment?: string): ProjectItem {
  const session = useSession();
  const wanted = segment ?? session.project;
  const found =
    session.projects.find((one) => one.id === wanted || one.number === wanted) ??
    session.projects.find((one) => one.id === session.project);
  return found ?? { id: session.project, number: "", displayName: session.project, tenant: "" };
}

/** Trade the code or link of the address's fragment for a session; false when there was none. */
export async function enter(fragment: string): Promise<boolean> {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const code = given.get("code");
  const link = given.get("link");
  if (!code && !link) return false;
  await ask<SessionInfo>("/session", { method: "POST", body: code ? { code } : { link } });
  health.signedIn();
  return true;
}

export async function leave(): Promise<void> {
  await ask<void>("/session", { method: "DELETE" });
  health.signedOut();
}
