// Packages that a script needs, as pip takes them. Pure.
import type { Form } from "./form";

export function requirementsOf(form: Form): string[] {
  return form.requirements
    .split(/[,\n]/)
    .map((one) => one.trim())
    .filter(Boolean);
}
