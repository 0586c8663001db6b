// Texts in both languages: each feature declares its own, and a missing translation does not compile.
import i18next, { type TOptions } from "i18next";
import { useSyncExternalStore } from "react";
import { loadCatalogue } from "./catalogue";

export const LANGUAGES = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof LANGUAGES;

const STORED = "trigpoint.language";

type Singular<K extends string> = K extends `${string}_one` ? K : never;
/** What a Chinese table must hold: all keys but singulars, which Chinese does not have. */
type Translated<K extends string> = Record<Exclude<K, Singular<K>>, string>;
/** Keys as code asks for them: `jobs` for `jobs_one` and `jobs_other`. */
type Asked<K extends string> = K extends `${infer Stem}_one` ? Stem : K extends `${infer Stem}_other` ? Stem : K;

export interface Texts<K extends string> {
  readonly namespace: string;
  readonly keys: readonly K[];
}

export type Say<K extends string> = (key: Asked<K>, options?: TOptions) => string;

/** Declare the texts of a feature. Placeholders are `{{name}}`; keys that end in _one and _other are chosen by `count`. */
export function texts<const E extends Record<string, string>>(
  namespace: string,
  both: { en: E; zh: Translated<keyof E & string> },
): Texts<keyof E & string> {
  i18next.addResourceBundle("en", namespace, both.en, true, true);
  i18next.addResourceBundle("zh", namespace, both.zh, true, true);
  return { namespace, keys: Object.keys(both.en) as (keyof E & string)[] };
}

/** The texts of a feature in the language of the page. The same for as long as that is the same. */
export function useTexts<K extends string>(of: Texts<K>): Say<K> {
  const [now] = useLanguage();
  const key = `${now} ${of.namespace}`;
  const found = made.get(key) ?? i18next.getFixedT(now, of.namespace);
  made.set(key, found);
  return found as unknown as Say<K>;
}

const made = new Map<string, ReturnType<typeof i18next.getFixedT>>();

/** The same outside of components. */
export function textsNow<K extends string>(of: Texts<K>): Say<K> {
  return ((key: string, options?: TOptions) => i18next.t(key, { ...options, ns: of.namespace })) as Say<K>;
}

export function language(): Language {
  return i18next.language === "zh" ? "zh" : "en";
}

export function useLanguage(): [Language, (next: Language) => Promise<void>] {
  return [useSyncExternalStore(subscribe, language, language), choose];
}

function subscribe(listener: () => void): () => void {
  i18next.on("languageChanged", listener);
  return () => i18next.off("languageChanged", listener);
}

/** The locale by which numbers, dates and sorts go. */
export function locale(): string {
  return language() === "zh" ? "zh-CN" : "en-GB";
}

async function choose(next: Language): Promise<void> {
  localStorage.setItem(STORED, next);
  await loadCatalogue(next);
  document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
  await i18next.changeLanguage(next);
}

function preferred(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === "en" || stored === "zh") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

void i18next.init({
  lng: preferred(),
  fallbackLng: false,
  resources: {},
  keySeparator: false,
  nsSeparator: false,
  interpolation: { escapeValue: false }, // React escapes
  returnNull: false,
  initAsync: false,
});
document.documentElement.lang = preferred() === "zh" ? "zh-CN" : "en";
