// The arrow heads that edges end in, one for each colour.
import { GROUPS } from "./edges";
import css from "./Picture.module.css";

export function Markers() {
  return (
    <svg width={0} height={0} aria-hidden className={css.markers}>
      <defs>
        {GROUPS.map((group) => (
          <marker
            key={group}
            id={`picture-${group}`}
            viewBox="0 0 8 8"
            refX={7}
            refY={4}
            markerUnits="userSpaceOnUse"
            markerWidth={11}
            markerHeight={11}
            orient="auto-start-reverse"
          >
            <path d="M0,0 8,4 0,8Z" className={css.arrow} data-group={group} />
          </marker>
        ))}
      </defs>
    </svg>
  );
}
