import { Button } from "@mantine/core";
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { Empty, Problem } from "~/design/Notice";
import { Page } from "~/design/Page";
import { useTexts } from "~/i18n";
import { appTexts } from "./texts";

export function Missing() {
  const say = useTexts(appTexts);
  return (
    <Page title={say("missing.title")}>
      <Empty title={say("missing.title")} action={<Link to="/">{say("home")}</Link>}>
        {say("missing.text")}
      </Empty>
    </Page>
  );
}

/** A page that threw while it was drawn. */
export function Broken({ error }: ErrorComponentProps) {
  const say = useTexts(appTexts);
  return (
    <Page title={say("broken.title")}>
      <Problem error={error} />
      <Button variant="default" onClick={() => location.reload()}>
        {say("broken.again")}
      </Button>
    </Page>
  );
}
