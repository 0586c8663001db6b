import { Empty } from "~/design/Notice";
import { Page } from "~/design/Page";

export function ModelsPage() {
  return (
    <Page title="ModelsPage">
      <Empty title="ModelsPage" />
    </Page>
  );
}

export function ModelPage() {
  return (
    <Page title="ModelPage">
      <Empty title="ModelPage" />
    </Page>
  );
}
