// The part of a page's state that belongs into its address: filters, tabs, what is open. So links and reloads keep it.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

type Values = Record<string, string | undefined>;

/** The query of the page's address and a way to change some of it; empty values are left out. */
export function useAddress(): [Values, (changes: Values, push?: boolean) => void] {
  const search = useSearch({ strict: false }) as Values;
  const navigate = useNavigate();
  const change = useCallback(
    (changes: Values, push = false) => {
      void navigate({
        to: ".",
        search: (before: Values) => ({ ...before, ...changes }) as never,
        replace: !push,
        resetScroll: false,
      });
    },
    [navigate],
  );
  return [search, change];
}
