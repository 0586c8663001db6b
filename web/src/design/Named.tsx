// A resource by its display name, which people know, and not by its id.
import { Link } from "@tanstack/react-router";
import { useResource } from "~/api/resources";
import { idOf, pageOf } from "~/lib/names";

/** A link to the page of a resource; its id stands there until its name is known, and where it has none. */
export function Named({ name }: { name: string }) {
  const [plain = ""] = name.split("@");
  const found = useResource<{ displayName?: string }>(plain);
  const version = name.slice(plain.length);
  return (
    <Link to={pageOf(name) as "/"} title={name}>
      {found.isPending ? "…" : found.data?.displayName ? found.data.displayName + version : idOf(name)}
    </Link>
  );
}
