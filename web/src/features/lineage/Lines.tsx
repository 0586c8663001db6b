// The lines of the graph, with their heads, and words at those of the chosen node.
import { ViewportPortal } from "@xyflow/react";
import { memo } from "react";
import { useTexts } from "~/i18n";
import css from "./Lineage.module.css";
import type { Lined } from "./paths";
import { lineageTexts } from "./texts";

const KINDS = ["reads", "makes"] as const;

export const Lines = memo(({ lines, heads, words }: Lined) => {
  const say = useTexts(lineageTexts);
  return (
    <ViewportPortal>
      <svg className={css.lines} aria-hidden="true">
        {KINDS.map((kind) => (
          <g key={kind} className={css[kind]}>
            <path d={lines[kind]} />
            <path d={heads[kind]} className={css.heads} />
          </g>
        ))}
        {words.map(({ id, kind, x, y }) => (
          <text key={id} x={x} y={y} className={css.word}>
            {say(`arrow.${kind}`)}
          </text>
        ))}
      </svg>
    </ViewportPortal>
  );
});
