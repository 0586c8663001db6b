// What is made for a locale: kept, for a formatter takes a hundred times as long to make as to use.
import { locale } from "~/i18n";

/** Make something once for each locale and what else it depends on. */
export function perLocale<A extends (string | number)[], T>(make: (to: string, ...more: A) => T): (...more: A) => T {
  const kept = new Map<string, T>();
  return (...more) => {
    const key = [locale(), ...more].join();
    const found = kept.get(key) ?? make(locale(), ...more);
    kept.set(key, found);
    return found;
  };
}
