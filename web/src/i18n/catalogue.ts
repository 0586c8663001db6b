// The sentences of the server with their Chinese: many, so that only pages in Chinese load them.
import type { Language } from "./index";
import type { Sentence } from "./sentences.gen";

export interface Catalogue {
  templates: Readonly<Record<Sentence, string>>;
  words: Readonly<Record<Sentence, string>>;
}

let loaded: Catalogue | undefined;

/** What was loaded; nothing before, and nothing where no language needs it. */
export function catalogue(): Catalogue | undefined {
  return loaded;
}

/** Have what a language needs. Without it sentences stay English, so nobody has to wait for a failing network. */
export async function loadCatalogue(language: Language): Promise<void> {
  if (language === "en" || loaded) return;
  try {
    const [{ SENTENCES }, { CHINESE }] = await Promise.all([import("./sentences.gen"), import("./sentences")]);
    loaded = { templates: SENTENCES, words: CHINESE };
  } catch {
    // The next choice of a language tries again.
  }
}
