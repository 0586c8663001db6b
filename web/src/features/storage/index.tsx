import { Empty } from "~/design/Notice";
import { Page } from "~/design/Page";

export function BucketsPage() {
  return (
    <Page title="BucketsPage">
      <Empty title="BucketsPage" />
    </Page>
  );
}

export function ObjectsPage() {
  return (
    <Page title="ObjectsPage">
      <Empty title="ObjectsPage" />
    </Page>
  );
}
