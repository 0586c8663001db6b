// The list of runs, page by page, as filters say.
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { ask } from "~/api/client";
import type { RunPage } from "~/api/console.gen";

export interface Filters {
  q?: string | undefined;
  state?: string | undefined;
  kind?: string | undefined;
  label?: string | undefined;
  order?: string | undefined;
}

export function useRuns(project: string, filters: Filters) {
  const { q, state, kind, label, order } = filters;
  const found = useInfiniteQuery({
    queryKey: ["of-project", "runs", project, q, state, kind, label, order],
    queryFn: ({ pageParam, signal }) =>
      ask<RunPage>("/runs", { query: { project, q, state, kind, label, order, size: 100, after: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (page: RunPage) => page.next || undefined,
    placeholderData: keepPreviousData,
  });
  return {
    runs: (found.data?.pages ?? []).flatMap((page) => page.runs),
    total: found.data?.pages[0]?.total,
    isPending: found.isPending,
    error: found.error,
    retry: () => void found.refetch(),
    more: found.hasNextPage && !found.isFetchingNextPage ? () => void found.fetchNextPage() : undefined,
  };
}
