import { Link, useParams } from "@tanstack/react-router";
import { useProject } from "~/api/session";
import { useAddress } from "~/design/address";
import { Page } from "~/design/Page";
import { useTexts } from "~/i18n";
import { Explorer } from "./Explorer";
import { Starts } from "./Starts";
import { lineageTexts } from "./texts";

export function LineagePage() {
  const say = useTexts(lineageTexts);
  const project = useProject(useParams({ strict: false }).project);
  const [address] = useAddress();
  const focus = address.focus ?? "";
  return (
    <Page
      title={say("title")}
      lead={say("lead")}
      full={!!focus}
      actions={focus && <Link to={`/projects/${project.id}/lineage` as "/"}>{say("back")}</Link>}
    >
      {focus ? <Explorer key={focus} focus={focus} /> : <Starts project={project.id} />}
    </Page>
  );
}
