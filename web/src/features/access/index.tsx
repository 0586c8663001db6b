// Who may look: read-only links and sessions.
export { AccessPage } from "./AccessPage";
export { ShareDialog } from "./ShareDialog";
