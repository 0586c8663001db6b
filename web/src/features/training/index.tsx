import { Empty } from "~/design/Notice";
import { Page } from "~/design/Page";

export function TrainingPage() {
  return (
    <Page title="TrainingPage">
      <Empty title="TrainingPage" />
    </Page>
  );
}

export function NewJobPage() {
  return (
    <Page title="NewJobPage">
      <Empty title="NewJobPage" />
    </Page>
  );
}

export function RunPage() {
  return (
    <Page title="RunPage">
      <Empty title="RunPage" />
    </Page>
  );
}
