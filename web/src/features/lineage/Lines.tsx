// The lines of the graph, with their heads, and words at those of the chosen node.
import { useStore, ViewportPortal } from "@xyflow/react";
import { memo } from "react";
import { useTexts } from "~/i18n";
import css from "./Lineage.module.css";
import type { Lined, Shapes } from "./paths";
import { lineageTexts } from "./texts";

/** Each kind with its own colour. */
export const KINDS = ["reads", "makes", "runs"] as const;

const SHAPES = ["artifact", "execution", "chosen"] as const;

export const Lines = memo(({ lines, heads, words, shapes }: Lined & { shapes: Shapes | undefined }) => {
  return (
    <ViewportPortal>
      <svg className={css.lines} aria-hidden="true">
        {KINDS.map((kind) => (
          <g key={kind} className={css[kind]}>
            <path d={lines[kind]} />
            <path d={heads[kind]} className={css.heads} />
          </g>
        ))}
        {shapes && SHAPES.map((kind) => <path key={kind} d={shapes[kind]} className={css.shape} data-kind={kind} />)}
        <Words words={words} />
      </svg>
    </ViewportPortal>
  );
});

const SIZE = 11;
const LARGEST = 24;

/** Words keep their size while one looks from afar. */
function Words({ words }: Pick<Lined, "words">) {
  const say = useTexts(lineageTexts);
  const zoom = useStore((state) => state.transform[2]);
  const size = Math.min(LARGEST, Math.max(SIZE, SIZE / zoom));
  return words.map(({ id, kind, x, y }) => (
    <text key={id} x={x} y={y} fontSize={size} className={css.word}>
      {say(`arrow.${kind}`)}
    </text>
  ));
}
