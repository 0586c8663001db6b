import { Empty } from "~/design/Notice";
import { Page } from "~/design/Page";

export function GoPage() {
  return (
    <Page title="GoPage">
      <Empty title="GoPage" />
    </Page>
  );
}

export function Palette({ onClose }: { onClose: () => void }) {
  return <button type="button" onClick={onClose} />;
}
