// The one way from the page to its server. Everything it gets is JSON, everything that fails is one of `problems`.
import { health } from "./health";
import { problemOf, SignedOut, Unreachable } from "./problems";

const BASE = "/console/api";
/** What tells the server that a request comes from the page and not from a form elsewhere. */
export const HEADERS = { "x-trigpoint": "console" } as const;

export interface Ask {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Record<string, string | number | boolean | undefined> | undefined;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

export function address(path: string, query?: Ask["query"]): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return `${BASE}${path}${text ? `?${text}` : ""}`;
}

/** Ask for a response whatever it holds; throws one of `problems` unless it is a good one. */
export async function fetchRaw(path: string, ask: Ask = {}): Promise<Response> {
  const { method = "GET", query, body, signal } = ask;
  let answer: Response;
  try {
    answer = await fetch(address(path, query), {
      method,
      headers: body === undefined ? HEADERS : { ...HEADERS, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
      credentials: "same-origin",
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    health.lost();
    throw new Unreachable(String(error));
  }
  if (answer.ok) {
    health.reached();
    return answer;
  }
  const problem = await problemOf(answer);
  if (problem instanceof Unreachable) health.lost();
  else health.reached();
  if (problem instanceof SignedOut) health.signedOut();
  throw problem;
}

export async function ask<T>(path: string, how: Ask = {}): Promise<T> {
  const answer = await fetchRaw(path, how);
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Ask the public API of Vertex AI, as the session's identity. */
export function vertex<T>(path: string, how: Ask = {}): Promise<T> {
  return ask<T>(`/vertex/v1/${path}`, how);
}
