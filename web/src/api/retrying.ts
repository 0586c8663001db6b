// How questions are repeated: what the server refused is not asked again, a server that is away is asked until it is back.
import { ApiError, SignedOut, Unreachable } from "./problems";

export const retrying = {
  staleTime: 5_000,
  refetchOnWindowFocus: true,
  networkMode: "always" as const, // the server may be this very machine
  retry: (failures: number, error: Error) => {
    if (error instanceof SignedOut || (error instanceof ApiError && error.code < 500)) return false;
    return error instanceof Unreachable || failures < 2;
  },
  retryDelay: (attempt: number) => Math.min(500 * 1.6 ** attempt, 5_000),
};
