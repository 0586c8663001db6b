// What the picture's signs mean: how to ask, the colours of lines and edges of cards, the frames.
import { useTexts } from "~/i18n";
import { GROUPS } from "./edges";
import css from "./Picture.module.css";
import { pictureTexts } from "./texts";

const TONES = ["waits", "runs", "done", "failed", "ended"] as const;

export function Legend() {
  const say = useTexts(pictureTexts);
  return (
    <section className={css.legend} aria-label={say("legend")}>
      <p role="status">{say("legend.how")}</p>
      <ul>
        {TONES.map((tone) => (
          <li key={tone}>
            <i className={css.tone} data-tone={tone} aria-hidden />
            {say(`legend.${tone}`)}
          </li>
        ))}
        {GROUPS.map((group) => (
          <li key={group}>
            <i className={css.stroke} data-group={group} aria-hidden />
            {say(`legend.${group}`)}
          </li>
        ))}
        <li>
          <i className={css.stroke} data-fresh aria-hidden />
          {say("legend.fresh")}
        </li>
        <li>
          <i className={css.stroke} data-inferred aria-hidden />
          {say("legend.inferred")}
        </li>
        <li>
          <i className={css.frame} aria-hidden />
          {say("legend.frame")}
        </li>
      </ul>
    </section>
  );
}
