// A list of any length: only the rows in sight exist. The page is the scroller, so that a phone scrolls as usual.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { memo, type ReactNode, useEffect, useRef, useState } from "react";
import { useTexts } from "~/i18n";
import { useRows } from "./rows";
import css from "./Table.module.css";
import { designTexts } from "./texts";

export interface Column<T> {
  id: string;
  title: string;
  /** a CSS grid track: `minmax(160px, 2fr)` */
  width: string;
  cell: (row: T) => ReactNode;
  /** what the server orders by when the head is clicked */
  order?: string;
  /** not shown on narrow screens */
  optional?: boolean;
  numeric?: boolean;
}

interface Given<T> {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  keyOf: (row: T) => string;
  /** `display_name desc` or empty */
  order?: string;
  onOrder?: (order: string) => void;
  /** called when the end comes into sight */
  onEnd?: (() => void) | undefined;
  /** how many there are in all, where that is known */
  total?: number | undefined;
  rowHeight?: number;
}

export function Table<T>({ label, rows, columns, keyOf, order, onOrder, onEnd, total, rowHeight = 44 }: Given<T>) {
  const say = useTexts(designTexts);
  const box = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  useEffect(() => setMargin(box.current?.getBoundingClientRect().top ?? 0), []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: margin,
    getItemKey: (index) => keyOf(rows[index] as T),
  });
  const about = virtual.getVirtualItems();
  const items = useRows(about, virtual.range);
  const last = about.at(-1)?.index ?? -1;
  useEffect(() => {
    if (onEnd && last >= rows.length - 20) onEnd();
  }, [last, rows.length, onEnd]);
  const style = { "--columns": columns.map((one) => one.width).join(" ") } as React.CSSProperties;
  const compact = {
    "--columns-narrow": columns
      .filter((one) => !one.optional)
      .map((one) => one.width)
      .join(" "),
  } as React.CSSProperties;
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows come and go while one scrolls, which table elements can't
    <div role="table" aria-label={label} aria-rowcount={total ?? rows.length} style={{ ...style, ...compact }}>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: the buttons within are focusable */}
      <div role="row" className={css.head}>
        {columns.map((column) => (
          <Head key={column.id} column={column} order={order ?? ""} onOrder={onOrder} />
        ))}
      </div>
      <div ref={box} className={css.rows} style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => (
          <Row
            key={item.key}
            row={rows[item.index] as T}
            index={item.index}
            top={item.start - margin}
            height={item.size}
            columns={columns}
          />
        ))}
      </div>
      {total !== undefined && <p className={css.foot}>{say("rows", { count: total })}</p>}
    </div>
  );
}

interface RowGiven<T> {
  row: T;
  index: number;
  top: number;
  height: number;
  columns: readonly Column<T>[];
}

/** Rows that stay are not drawn again while others come into sight. */
const Row = memo(function Row<T>({ row, index, top, height, columns }: RowGiven<T>) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows come and go while one scrolls, which table elements can't
    // biome-ignore lint/a11y/useFocusableInteractive: the links within are focusable
    <div role="row" aria-rowindex={index + 2} className={css.row} style={{ height, transform: `translateY(${top}px)` }}>
      {columns.map((column) => (
        // biome-ignore lint/a11y/useSemanticElements: see above
        <div
          key={column.id}
          role="cell"
          className={css.cell}
          data-numeric={column.numeric || undefined}
          data-optional={column.optional || undefined}
        >
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}) as <T>(given: RowGiven<T>) => ReactNode;

function Head<T>({
  column,
  order,
  onOrder,
}: {
  column: Column<T>;
  order: string;
  onOrder: ((order: string) => void) | undefined;
}) {
  const say = useTexts(designTexts);
  const [field, direction] = order.split(" ");
  const sorted = column.order !== undefined && field === column.order;
  const falling = sorted && direction === "desc";
  return (
    // biome-ignore lint/a11y/useSemanticElements: part of a table of rows that come and go
    // biome-ignore lint/a11y/useFocusableInteractive: the button within is focusable
    <div
      role="columnheader"
      className={css.cell}
      data-numeric={column.numeric || undefined}
      data-optional={column.optional || undefined}
      aria-sort={sorted ? (falling ? "descending" : "ascending") : undefined}
    >
      {column.order && onOrder ? (
        <button type="button" onClick={() => onOrder(falling ? `${column.order}` : `${column.order} desc`)}>
          {column.title}
          {sorted &&
            (falling ? (
              <ArrowDown size={13} aria-label={say("sortedDown")} />
            ) : (
              <ArrowUp size={13} aria-label={say("sortedUp")} />
            ))}
        </button>
      ) : (
        column.title
      )}
    </div>
  );
}
