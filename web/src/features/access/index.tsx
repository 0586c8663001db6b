import { Empty } from "~/design/Notice";
import { Page } from "~/design/Page";

export function AccessPage() {
  return (
    <Page title="AccessPage">
      <Empty title="AccessPage" />
    </Page>
  );
}
