import { Empty } from "~/design/Notice";
import { Page } from "~/design/Page";

export function HomePage() {
  return (
    <Page title="HomePage">
      <Empty title="HomePage" />
    </Page>
  );
}
