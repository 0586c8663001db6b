// Where everything stands: each kind has its place, so that people learn where to look. Pure.
//
// From left to right along the top the call goes from the script over the pipeline and the job to the queue and into
// the tenant project; data and code go the same way below; results come back along the bottom. What the tenant project
// gives to replicas stands behind them, so that nothing lies between them and the user's project.
import type { Node, NodeKind, Picture } from "~/api/console.gen";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Arrangement {
  boxes: ReadonlyMap<string, Box>;
  regions: { user: Box; tenant: Box };
  /** pools whose replicas are drawn as chips, because there are many */
  dense: ReadonlySet<string>;
  width: number;
  height: number;
}

const WIDTH = 208;
const HEIGHT = 72;
/** Kinds of which there may be many: one line each. */
const SLIM: ReadonlySet<NodeKind> = new Set(["splits", "files", "package", "source", "logs", "lineage", "account"]);
const SLIM_HEIGHT = 38;
const GAP_X = 66;
/** Between attempts and what stands behind them: on these ways it says how many tokens. */
const GAP_BEHIND = 96;
const GAP_Y = 10;
const GAP_ROWS = 26;
const PAD = 24;
const TITLE = 34;
/** Between the regions: where edges cross from one project into the other. */
const BORDER = 190;
export const CHIP = 26;
const CHIP_GAP = 6;
const MOST_CARDS = 4;
const REPLICA = { width: 220, height: 70 };
/** Room for an attempt, also for one that may come. */
const LEAST = REPLICA.width + 4 * 12;
/** The least of the tenant's region: its title needs that much. */
const TENANT = 410;

type Cell = readonly [column: number, row: number];

/** Column and row of each kind in its region; attempts stand below the queue, and before the tenant's other column. */
const USER_CELLS: Partial<Record<NodeKind, Cell>> = {
  caller: [0, 0],
  pipeline: [1, 0],
  job: [2, 0],
  source: [0, 1],
  dataset: [1, 1],
  splits: [2, 1],
  package: [2, 2],
  lineage: [0, 3],
  model: [1, 3],
  files: [2, 3],
  logs: [2, 4],
};
const TENANT_CELLS: Partial<Record<NodeKind, Cell>> = {
  queue: [0, 0],
  image: [1, 1],
  metadata: [1, 2],
  account: [1, 3],
};
const ROWS = 5;

export function arrange(picture: Picture): Arrangement {
  const boxes = new Map<string, Box>();
  const dense = new Set<string>();
  const inside = childrenOf(picture.nodes);
  const cells = stacked(picture.nodes);
  const heights = Array.from({ length: ROWS }, (_, row) => rowHeight(cells, row));
  const tops = heights.map(
    (_, row) => PAD + TITLE + sum(heights.slice(0, row).map((one) => (one ? one + GAP_ROWS : 0))),
  );
  const userColumns = columnsOf(cells.user);
  const userWidth = 2 * PAD + userColumns.length * WIDTH + Math.max(0, userColumns.length - 1) * GAP_X;
  const left = userWidth + BORDER;
  place(cells.user, tops, (column) => PAD + Math.max(0, userColumns.indexOf(column)) * (WIDTH + GAP_X), boxes);
  let y = tops[1] ?? 0;
  let widest = LEAST;
  for (const attempt of picture.nodes.filter((one) => one.kind === "attempt")) {
    const box = placeAttempt(attempt, inside, left + PAD, y, boxes, dense);
    y += box.height + GAP_Y;
    widest = Math.max(widest, box.width);
  }
  const behind = left + PAD + widest + GAP_BEHIND;
  place(cells.tenant, tops, (column) => (column ? behind : left + PAD + (widest - WIDTH) / 2), boxes);
  const bottom = Math.max(tops[1] ?? 0, ...[...boxes.values()].map((box) => box.y + box.height)) + PAD;
  const tenantWidth = Math.max(
    TENANT,
    2 * PAD + widest + (columnsOf(cells.tenant).includes(1) ? GAP_BEHIND + WIDTH : 0),
  );
  const regions = {
    user: { x: 0, y: 0, width: userWidth, height: bottom },
    tenant: { x: left, y: 0, width: tenantWidth, height: bottom },
  };
  return { boxes, regions, dense, width: left + tenantWidth, height: bottom };
}

type Cells = Map<string, Node[]>;

function stacked(nodes: readonly Node[]): { user: Cells; tenant: Cells } {
  const cells = { user: new Map<string, Node[]>(), tenant: new Map<string, Node[]>() };
  for (const node of nodes) {
    const cell = (node.region === "user" ? USER_CELLS : TENANT_CELLS)[node.kind];
    if (!cell || node.parent) continue;
    const key = cell.join(",");
    const known = cells[node.region].get(key) ?? [];
    known.push(node);
    cells[node.region].set(key, known);
  }
  return cells;
}

function rowHeight({ user, tenant }: { user: Cells; tenant: Cells }, row: number): number {
  const heights = [user, tenant].flatMap((cells) =>
    [...cells]
      .filter(([key]) => key.endsWith(`,${row}`))
      .map(([, nodes]) => sum(nodes.map(heightOf)) + (nodes.length - 1) * GAP_Y),
  );
  return Math.max(0, ...heights);
}

/** Whether a node is drawn in one line. */
export function isSlim(kind: NodeKind): boolean {
  return SLIM.has(kind);
}

function heightOf({ kind }: Node): number {
  return isSlim(kind) ? SLIM_HEIGHT : HEIGHT;
}

function columnsOf(cells: Cells): number[] {
  return [...new Set([...cells.keys()].map((key) => Number(key.split(",")[0])))].sort();
}

function place(cells: Cells, tops: readonly number[], xOf: (column: number) => number, boxes: Map<string, Box>): void {
  for (const [key, nodes] of cells) {
    const [column = 0, row = 0] = key.split(",").map(Number);
    let y = tops[row] ?? 0;
    for (const node of nodes) {
      boxes.set(node.id, { x: xOf(column), y, width: WIDTH, height: heightOf(node) });
      y += heightOf(node) + GAP_Y;
    }
  }
}

function childrenOf(nodes: readonly Node[]): ReadonlyMap<string, Node[]> {
  const found = new Map<string, Node[]>();
  for (const node of nodes) {
    if (!node.parent) continue;
    const known = found.get(node.parent) ?? [];
    known.push(node);
    found.set(node.parent, known);
  }
  return found;
}

/** An attempt with its pools below each other, each pool with its replicas as cards, or as chips when they are many. */
function placeAttempt(
  attempt: Node,
  inside: ReadonlyMap<string, Node[]>,
  x: number,
  y: number,
  boxes: Map<string, Box>,
  dense: Set<string>,
): Box {
  let top = y + TITLE;
  let widest = LEAST - 2 * 12;
  for (const pool of inside.get(attempt.id) ?? []) {
    const replicas = inside.get(pool.id) ?? [];
    const many = replicas.length > MOST_CARDS;
    if (many) dense.add(pool.id);
    const columns = many ? Math.max(8, Math.ceil(Math.sqrt(replicas.length * 1.6))) : 1;
    const size = many ? { width: CHIP, height: CHIP } : REPLICA;
    const gap = many ? CHIP_GAP : 10;
    replicas.forEach((replica, i) => {
      boxes.set(replica.id, {
        x: x + 12 + 12 + (i % columns) * (size.width + gap),
        y: top + TITLE + Math.floor(i / columns) * (size.height + gap),
        ...size,
      });
    });
    const rows = Math.ceil(replicas.length / columns);
    const used = Math.min(columns, Math.max(1, replicas.length));
    const width = Math.max(REPLICA.width, used * size.width + (used - 1) * gap) + 24;
    const height = TITLE + Math.max(0, rows * (size.height + gap) - gap) + 12;
    boxes.set(pool.id, { x: x + 12, y: top, width, height });
    widest = Math.max(widest, width);
    top += height + 12;
  }
  const box = { x, y, width: widest + 24, height: top - y };
  boxes.set(attempt.id, box);
  return box;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
