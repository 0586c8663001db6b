// How edges look: a curve in the colour of what passes, its amount in words, moving while it passes.
import { EdgeLabelRenderer, type EdgeProps, type Edge as FlowEdge } from "@xyflow/react";
import { memo } from "react";
import type { EdgeKind } from "~/api/console.gen";
import css from "./Picture.module.css";
import type { Point } from "./route";

export interface EdgeData extends Record<string, unknown> {
  kind: EdgeKind;
  path: string;
  place: Point;
  told: string;
  /** whether something passed just before the instant that is shown */
  fresh: boolean;
  /** whether it follows from what was found, not from what was watched */
  inferred: boolean;
  /** whether it touches what is open, or nothing is open */
  near: boolean;
  members: readonly string[];
}

const Observed = memo(({ id, data }: EdgeProps<FlowEdge<EdgeData>>) => {
  if (!data) return null;
  const { kind, path, place, told, fresh, inferred, near } = data;
  return (
    <>
      <path d={path} className={css.reach} />
      <path
        id={id}
        d={path}
        className={css.edge}
        data-kind={kind}
        data-fresh={fresh || undefined}
        data-inferred={inferred || undefined}
        data-far={!near || undefined}
        data-members={data.members.join(" ")}
        markerEnd={`url(#picture-${groupOf(kind)})`}
      />
      {told && near && (
        <EdgeLabelRenderer>
          <span
            className={css.label}
            data-kind={kind}
            style={{ transform: `translate(-50%, -50%) translate(${place.x}px, ${place.y}px)` }}
          >
            {told}
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
});

export const GROUPS = ["call", "data", "code", "result", "identity"] as const;
export type Group = (typeof GROUPS)[number];

const GROUP_OF: Record<EdgeKind, Group> = {
  calls: "call",
  launches: "call",
  waits: "call",
  admits: "call",
  takes: "data",
  exports: "data",
  reads: "data",
  copies: "data",
  fetches: "code",
  provides: "code",
  writes: "result",
  registers: "result",
  becomes: "result",
  restarts: "call",
  orders: "call",
  records: "result",
  logs: "result",
  asks: "identity",
  stands: "identity",
};

/** What kind of thing passes: edges of a group have one colour. */
export function groupOf(kind: EdgeKind): Group {
  return GROUP_OF[kind];
}

export const EDGES = { observed: Observed };
