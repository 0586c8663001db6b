// A small histogram: bars of equal width, no axes, the numbers in words for whoever can't see them.
import css from "./Bars.module.css";

interface Given {
  counts: readonly number[];
  label: string;
  /** what a bar stands for, on hover */
  tellOf?: (index: number, count: number) => string;
  height?: number;
}

export function Bars({ counts, label, tellOf, height = 44 }: Given) {
  const most = Math.max(1, ...counts);
  const width = 100 / Math.max(1, counts.length);
  return (
    <svg
      className={css.bars}
      viewBox={`0 0 100 ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
      height={height}
    >
      <title>{label}</title>
      {counts.map((count, i) => {
        const tall = count ? Math.max(1.5, (count / most) * height) : 0;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: bars never move
          <rect key={i} x={i * width + 0.4} y={height - tall} width={Math.max(0.4, width - 0.8)} height={tall}>
            {tellOf && <title>{tellOf(i, count)}</title>}
          </rect>
        );
      })}
    </svg>
  );
}

/** A part of a whole as a bar behind a word. */
export function Share({ label, share, value }: { label: string; share: number; value: string }) {
  return (
    <div className={css.share} title={`${label}: ${value}`}>
      <span className={css.fill} style={{ width: `${Math.min(100, 100 * share)}%` }} />
      <span className={css.label}>{label}</span>
      <span className={css.value}>{value}</span>
    </div>
  );
}
