// What is known of a node, as names and values that people read.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Code, Id } from "~/design/Copy";
import type { Fact } from "~/design/Facts";
import { idOf, pageOf } from "~/lib/names";
import { formatBytes } from "~/lib/units";
import type { Words } from "./amounts";
import type { SeenNode } from "./moment";
import { pictureTexts } from "./texts";
import { tellFact } from "./words";

/** Facts that the panel shows in a place of their own, or in its head. */
const ELSEWHERE = new Set(["objects", "lost", "labels", "displayName", "split", "task", "email", "frame"]);
const KNOWN = new Set<string>(pictureTexts.keys);
const LONG = 60;

export function factsOf(say: Words, { node, facts }: SeenNode): Fact[] {
  return Object.entries(facts)
    .filter(([key, value]) => !ELSEWHERE.has(key) && value !== node.title)
    .map(([key, value]) => [wordOf(say, key), shown(key, tellFact(say, key, value))]);
}

/** A fact's key as people say it; one that no text knows stays what the server calls it. */
export function wordOf(say: Words, key: string): string {
  const known = `fact.${key}`;
  return KNOWN.has(known) ? say(known as "fact.image") : key;
}

export function shown(key: string, value: unknown): ReactNode {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value === "number") return /bytes|size/i.test(key) ? formatBytes(value) : String(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    const page = pageOf(value);
    if (page && !value.includes("*"))
      return <Link to={page as "/"}>{value.startsWith("gs://") ? value : idOf(value)}</Link>;
    return value.length > LONG ? <Id text={value} /> : value;
  }
  return <Code text={JSON.stringify(value, null, 2)} label={key} />;
}
