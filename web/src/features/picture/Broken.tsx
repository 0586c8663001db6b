// Why a node failed: what it said, and where in the user's own code it broke.
import { Said } from "~/design/Said";
import { useTexts } from "~/i18n";
import type { SeenNode } from "./moment";
import panel from "./Panel.module.css";
import { pictureTexts } from "./texts";
import { frameOf } from "./trouble";
import { whyOf } from "./words";

export function Broken({ seen }: { seen: SeenNode }) {
  const say = useTexts(pictureTexts);
  const cause = whyOf(seen);
  const frame = frameOf(seen);
  if (!cause && !frame) return null;
  return (
    <section className={panel.broken} aria-label={say("broken")}>
      <strong data-data>
        <Said text={cause} printed={seen.printed} />
      </strong>
      {frame && (
        <>
          <p data-data>
            {frame.file}:{frame.line}
            {frame.name && ` · ${frame.name}`}
          </p>
          {frame.code && (
            <pre data-data>
              <code>{frame.code}</code>
            </pre>
          )}
        </>
      )}
    </section>
  );
}
