// Resources of the public API: read, listed page by page, kept current by the project's live facts.
import { type Query, type QueryClient, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { vertex } from "./client";
import type { Begun, EventInfo } from "./console.gen";
import { live } from "./live";

/** A page of a list as the API answers it: one array under the collection's name, and a token. */
type Page = { nextPageToken?: string } & Record<string, unknown>;

export interface ListOf<T> {
  items: T[];
  isPending: boolean;
  isFetching: boolean;
  error: Error | null;
  more: (() => void) | undefined;
  retry: () => void;
}

export interface Listing {
  filter?: string;
  orderBy?: string;
  pageSize?: number;
}

const PAGE = 100;

/** A list under a parent (`projects/P/locations/L`), growing by pages. */
export function useList<T>(parent: string, collection: string, listing: Listing = {}): ListOf<T> {
  const { filter = "", orderBy = "", pageSize = PAGE } = listing;
  const found = useInfiniteQuery({
    queryKey: ["list", collection, parent, filter, orderBy, pageSize],
    queryFn: ({ pageParam, signal }) =>
      vertex<Page>(`${parent}/${collection}`, {
        query: { pageSize, pageToken: pageParam, filter, orderBy },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: Page) => page.nextPageToken || undefined,
  });
  return {
    items: (found.data?.pages ?? []).flatMap((page) => (page[collection] as T[] | undefined) ?? []),
    isPending: found.isPending,
    isFetching: found.isFetching,
    error: found.error,
    more: found.hasNextPage && !found.isFetching ? () => void found.fetchNextPage() : undefined,
    retry: () => void found.refetch(),
  };
}

/** One resource by its full name. */
export function useResource<T>(name: string, enabled = true) {
  return useQuery({
    queryKey: ["resource", name],
    queryFn: ({ signal }) => vertex<T>(name, { signal }),
    enabled: enabled && name !== "",
  });
}

/** Milliseconds for which changes are gathered before what is shown is asked for again. */
const TOGETHER = 150;
/** The same for lists of which so many pages are here that asking for all of them is work. */
const LONG_TOGETHER = 5000;
const LONG = 3;

/** Refresh whatever of a project changes, for as long as the shell stands. */
export function useLiveProject(number: string): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (!number) return;
    const topic = `project/${number}`;
    const soon = gathering(TOGETHER, (subjects) => refresh(queries, subjects, (query) => !isLong(query)));
    const late = gathering(LONG_TOGETHER, (subjects) => refresh(queries, subjects, isLong));
    const begun = live.follow(topic, "begun", (data) => {
      if ((data as Begun).missed)
        void queries.invalidateQueries({ predicate: ({ queryKey: [kind] }) => kind !== "session" });
    });
    const leave = live.follow(topic, "event", (data) => {
      const { subject } = data as EventInfo;
      soon.add(subject);
      late.add(subject);
    });
    return () => {
      begun();
      leave();
      soon.stop();
      late.stop();
    };
  }, [number, queries]);
}

function gathering(time: number, then: (subjects: ReadonlySet<string>) => void) {
  let subjects = new Set<string>();
  let waiting: ReturnType<typeof setTimeout> | undefined;
  return {
    add(subject: string) {
      subjects.add(subject);
      waiting ??= setTimeout(() => {
        const all = subjects;
        subjects = new Set();
        waiting = undefined;
        then(all);
      }, time);
    },
    stop: () => clearTimeout(waiting),
  };
}

function isLong({ state: { data } }: Query): boolean {
  return ((data as { pages?: unknown[] } | undefined)?.pages?.length ?? 0) > LONG;
}

function refresh(queries: QueryClient, subjects: ReadonlySet<string>, predicate: (query: Query) => boolean): void {
  const collections = new Set<string>();
  for (const subject of subjects) {
    const parts = subject.split("/");
    if (parts[4]) collections.add(parts[4]);
    void queries.invalidateQueries({ queryKey: ["resource", parts.slice(0, 6).join("/")], predicate });
  }
  for (const collection of collections) void queries.invalidateQueries({ queryKey: ["list", collection], predicate });
  void queries.invalidateQueries({ queryKey: ["of-project"], predicate });
}
