// Saved views: filters under a name, kept by the browser.
import { useLocalStorage } from "@mantine/hooks";
import type { Filters } from "./useRuns";

export interface View {
  name: string;
  filters: Filters;
}

const isView = (one: unknown): one is View =>
  typeof one === "object" &&
  one !== null &&
  typeof (one as View).name === "string" &&
  typeof (one as View).filters === "object";

function read(text: string | undefined): View[] {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(found) ? found.filter(isView) : [];
  } catch {
    return [];
  }
}

export function useViews() {
  const [views, setViews] = useLocalStorage<View[]>({
    key: "trigpoint.views.training",
    defaultValue: [],
    deserialize: read,
  });
  return {
    views,
    save: (view: View) => setViews((all) => [...all.filter((one) => one.name !== view.name), view]),
    remove: (name: string) => setViews((all) => all.filter((one) => one.name !== name)),
  };
}
