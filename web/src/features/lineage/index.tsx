import { Empty } from "~/design/Notice";
import { Page } from "~/design/Page";

export function LineagePage() {
  return (
    <Page title="LineagePage">
      <Empty title="LineagePage" />
    </Page>
  );
}
