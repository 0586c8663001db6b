// Lines over time. uPlot draws; this keeps it in the looks of the console, in its size, and up to date.
import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import css from "./Plot.module.css";
import { clockOf, type Kind, STEPS, spanOf, topOf } from "./ticks";

export interface Line {
  label: string;
  /** microseconds */
  times: readonly number[];
  values: readonly number[];
}

interface Given {
  label: string;
  lines: readonly Line[];
  /** a value as people read it */
  tell: (value: number) => string;
  kind?: Kind;
  height?: number;
  /** plots of one group show the same instant */
  group?: string;
}

const COLOURS = 6;

export function Plot({ label, lines, tell, kind = "number", height = 160, group }: Given) {
  const { ref, width } = useElementSize();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const scheme = useComputedColorScheme("light");
  const names = lines.map((line) => line.label).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew only when looks or lines change, data is set below
  useEffect(() => {
    if (!box.current || !width) return;
    const made = new uPlot(options({ label, lines, tell, kind, width, height, group }), aligned(lines), box.current);
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = undefined;
    };
  }, [names, scheme, width > 0, tell, height]);
  useEffect(() => plot.current?.setData(aligned(lines)), [lines]);
  useEffect(() => {
    if (width) plot.current?.setSize({ width, height });
  }, [width, height]);
  return (
    <figure className={css.plot} ref={ref} aria-label={`${label}: ${lastWords(lines, tell)}`}>
      <figcaption>{label}</figcaption>
      <div ref={box} style={{ minHeight: height }} />
    </figure>
  );
}

function lastWords(lines: readonly Line[], tell: (value: number) => string): string {
  return lines.map((line) => `${line.label} ${tell(line.values.at(-1) ?? 0)}`).join(", ");
}

interface Drawn extends Required<Omit<Given, "group">> {
  width: number;
  group: string | undefined;
}

function options({ label, lines, tell, kind, width, height, group }: Drawn): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour("--text-muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
    font: "11px system-ui, sans-serif",
  };
  return {
    width,
    height,
    ...(group && { cursor: { sync: { key: group } } }),
    legend: { show: lines.length > 1, live: false },
    scales: {
      // Of a lone value uPlot thinks that it lasts a day.
      x: { range: (plot, low, high) => spanOf(low, plot.data[0].length === 1 ? low : high) },
      y: { range: (_, low, high) => [Math.min(0, low), topOf(kind, high)] },
    },
    axes: [
      { ...axis, values: (_, ticks, __, ___, apart) => clockOf(ticks, apart), space: 84 },
      { ...axis, values: (_, ticks) => ticks.map(tell), incrs: STEPS[kind], size: 72 },
    ],
    series: [
      { label, value: (_, tick) => (tick === null ? "" : (clockOf([tick], 1)[0] ?? "")) },
      ...lines.map(
        (line, i): uPlot.Series => ({
          label: line.label,
          stroke: colour(`--plot-${(i % COLOURS) + 1}`),
          width: 1.5,
          spanGaps: true,
          points: { show: line.values.length < 4 },
          value: (_, value) => (value === null ? "" : tell(value)),
        }),
      ),
    ],
  };
}

/** Series with times of their own as uPlot wants them: one list of times, gaps where a series has no value. */
function aligned(lines: readonly Line[]): uPlot.AlignedData {
  if (lines.length === 0) return [[]];
  const tables = lines.map(
    (line): uPlot.AlignedData => [line.times.map((time) => time / 1e6), line.values as number[]],
  );
  return tables.length === 1 ? (tables[0] as uPlot.AlignedData) : uPlot.join(tables);
}
