// Which version has an alias, and what giving it to another does. Pure.
import type { Model } from "~/api/vertex.gen";

/** The version that loses an alias when another is given it; undefined when none has it, or the other itself does. */
export function loserOf(alias: string, versions: readonly Model[], winner: Model): string | undefined {
  const holder = versions.find((one) => one.versionAliases?.includes(alias.trim()));
  return holder && holder.versionId !== winner.versionId ? holder.versionId : undefined;
}

/** Versions by their numbers, the newest first. */
export function newestFirst(versions: readonly Model[]): Model[] {
  return [...versions].sort((a, b) => Number(b.versionId) - Number(a.versionId));
}
