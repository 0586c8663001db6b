// Where addresses of Google's console arrive: finds what they mean here, and goes there.
import { useQuery } from "@tanstack/react-query";
import { Navigate } from "@tanstack/react-router";
import { useSession } from "~/api/session";
import { useAddress } from "~/design/address";
import { Empty, Problem, Waiting } from "~/design/Notice";
import { Page } from "~/design/Page";
import { useTexts } from "~/i18n";
import { pageFor } from "./lookup";
import { resolve } from "./resolve";
import { linkTexts } from "./texts";

export function GoPage() {
  const say = useTexts(linkTexts);
  const session = useSession();
  const [address] = useAddress();
  const text = address.to ?? "";
  const target = resolve(text, session.project);
  const found = useQuery({
    queryKey: ["go", text],
    queryFn: async () => (target && (await pageFor(target))) ?? null,
    retry: false,
  });
  if (found.data) {
    const [path = "", query = ""] = found.data.split("?");
    return <Navigate to={path as "/"} search={Object.fromEntries(new URLSearchParams(query)) as never} replace />;
  }
  return (
    <Page title={say("missing.title")}>
      {found.isPending && <Waiting />}
      {found.isError && <Problem error={found.error} />}
      {found.data === null && (
        <Empty title={say("missing.title")}>
          {target?.kind === "unbuilt" ? say("unbuilt", { what: target.what }) : say("missing")}
        </Empty>
      )}
    </Page>
  );
}
