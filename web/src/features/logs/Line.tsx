// One line of a log; opened, it shows everything that is known of it.
import { ChevronRight } from "lucide-react";
import { memo, useMemo } from "react";
import type { LogLine } from "~/api/console.gen";
import { useTexts } from "~/i18n";
import { formatClock, formatInstant } from "~/lib/times";
import { pieces } from "./ansi";
import { read, shortened } from "./entry";
import css from "./Logs.module.css";
import { logTexts } from "./texts";

/** Characters and lines that a closed line shows. */
const SHORT = [4_000, 24] as const;

interface Given {
  line: LogLine;
  /** which of the plot's colours its replica has; negative for none */
  colour: number;
  open: boolean;
  onToggle: (id: string) => void;
  search: string;
}

export const Line = memo(function Line({ line, colour, open, onToggle, search }: Given) {
  const say = useTexts(logTexts);
  const { message, extras, fields } = useMemo(() => read(line.text), [line.text]);
  const short = shortened(message, ...SHORT);
  const style = colour < 0 ? undefined : ({ "--task": `var(--plot-${(colour % 6) + 1})` } as React.CSSProperties);
  return (
    <div className={css.row} data-severity={line.severity} data-service={line.task === "service" || undefined}>
      <button type="button" className={css.time} aria-expanded={open} onClick={() => onToggle(line.id)}>
        <ChevronRight size={12} aria-hidden />
        <time dateTime={new Date(line.time / 1000).toISOString()}>{formatClock(line.time, true)}</time>
      </button>
      <span className={css.task} style={style} title={line.task}>
        {line.task === "service" ? say("service") : line.task}
      </span>
      <span className={css.severity}>{line.severity === "DEFAULT" ? "" : line.severity}</span>
      <bdi className={css.text} data-data>
        <Text text={short.text} search={search} />
        {(short.cut || line.cut) && <span className={css.cut}>{say("cut")}</span>}
        {extras.length > 0 && (
          <button
            type="button"
            className={css.extras}
            aria-expanded={open}
            title={extras.join(", ")}
            onClick={() => onToggle(line.id)}
          >
            {say("fields", { count: extras.length })}
          </button>
        )}
      </bdi>
      {open && <Opened line={line} fields={fields} />}
    </div>
  );
});

function Text({ text, search }: { text: string; search: string }) {
  return pieces(text).map((piece, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text never move
    <span key={index} className={piece.looks.map((look) => css[look]).join(" ") || undefined}>
      <Marked text={piece.text} search={search} />
    </span>
  ));
}

function Marked({ text, search }: { text: string; search: string }) {
  const at = search ? text.toLowerCase().indexOf(search.toLowerCase()) : -1;
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + search.length)}</mark>
      <Marked text={text.slice(at + search.length)} search={search} />
    </>
  );
}

function Opened({ line, fields }: { line: LogLine; fields: string }) {
  const say = useTexts(logTexts);
  return (
    <div className={css.opened} data-data>
      <dl>
        <dt>{say("time")}</dt>
        <dd>{`${formatInstant(line.time)} (${new Date(line.time / 1000).toISOString()})`}</dd>
        <dt>{say("replica")}</dt>
        <dd>
          {line.task === "service" ? say("service") : line.task}
          {line.attempt > 1 && ` · ${say("attempt", { n: line.attempt })}`}
        </dd>
        <dt>{say("severity")}</dt>
        <dd>{line.severity}</dd>
      </dl>
      <pre>
        {fields ||
          pieces(line.text.replaceAll("\r", "\n"))
            .map((one) => one.text)
            .join("")}
      </pre>
    </div>
  );
}
