// What a node of the graph is, in a word, and of a model which version.
import { useTexts } from "~/i18n";
import type { Thing } from "./graph";
import { lineageTexts } from "./texts";

export function What({ thing: { role, version, inside } }: { thing: Thing }) {
  const say = useTexts(lineageTexts);
  if (inside) return say("objects", { count: inside.length });
  const what = say(`schema.${role}`);
  return version ? say("version", { what, version }) : what;
}
