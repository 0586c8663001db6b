// Why the run failed, over its picture; leads to the node at which it broke.
import { CircleAlert } from "lucide-react";
import type { Picture } from "~/api/console.gen";
import { Said } from "~/design/Said";
import { useTexts } from "~/i18n";
import type { Moment } from "./moment";
import css from "./Picture.module.css";
import { pictureTexts } from "./texts";
import { frameOf, troubleOf } from "./trouble";
import { titleOf, whyOf } from "./words";

interface Given {
  picture: Picture;
  moment: Moment;
  open: string;
  onOpen: (id: string) => void;
}

export function Trouble({ picture, moment, open, onOpen }: Given) {
  const say = useTexts(pictureTexts);
  const seen = troubleOf(picture, moment);
  if (!seen || seen.node.id === open) return null;
  const frame = frameOf(seen);
  return (
    <button type="button" className={css.trouble} onClick={() => onOpen(seen.node.id)}>
      <CircleAlert size={18} aria-hidden />
      <span>
        <strong>{say("trouble", { where: titleOf(say, seen.node) })}</strong>
        <span data-data>
          <Said text={whyOf(seen)} printed={seen.printed} />
        </span>
        {frame && (
          <code>
            {frame.file}:{frame.line} {frame.code}
          </code>
        )}
      </span>
    </button>
  );
}
