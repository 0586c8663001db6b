// What a node of the graph is, in a word, and of a model which version.
import { useTexts } from "~/i18n";
import type { Thing } from "./graph";
import { lineageTexts } from "./texts";

export function What({ thing: { role, version } }: { thing: Thing }) {
  const say = useTexts(lineageTexts);
  const what = say(`schema.${role}`);
  return version ? say("version", { what, version }) : what;
}
