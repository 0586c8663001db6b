import { Empty } from "~/design/Notice";
import { Page } from "~/design/Page";

export function DatasetsPage() {
  return (
    <Page title="DatasetsPage">
      <Empty title="DatasetsPage" />
    </Page>
  );
}

export function DatasetPage() {
  return (
    <Page title="DatasetPage">
      <Empty title="DatasetPage" />
    </Page>
  );
}
