// Many objects of one folder that one replica read or made are one node, until somebody wants to see each. Pure.
import type { Arrow, Shown, Thing } from "./graph";

/** Objects that are shown one by one. */
const FEW = 8;

/** The graph with such nodes, but for those in `apart` and objects that are named there. */
export function folded(graph: Shown, apart: ReadonlySet<string>): Shown {
  const folders = foldersOf(graph, apart);
  if (folders.size === 0) return graph;
  const folderOf = new Map([...folders].flatMap(([id, inside]) => inside.map((one) => [one.id, id] as const)));
  const nodeOf = (id: string) => {
    const node = graph.nodeOf(id);
    return folderOf.get(node) ?? node;
  };
  const arrows = new Map<string, Arrow>();
  for (const { from, to, kind } of graph.arrows) {
    const [start, end] = [nodeOf(from), nodeOf(to)];
    arrows.set(`${start}>${end}`, { id: `${start}>${end}`, from: start, to: end, kind });
  }
  const members = new Map([...graph.members].filter(([id]) => !folderOf.has(id)));
  for (const [id, inside] of folders)
    members.set(
      id,
      inside.flatMap((one) => graph.members.get(one.id) ?? []),
    );
  const things = graph.things.filter(({ id }) => !folderOf.has(id));
  return {
    things: [...things, ...[...folders].map(([id, inside]) => folder(id, inside))],
    arrows: [...arrows.values()],
    members,
    nodeOf,
  };
}

function foldersOf({ things, arrows }: Shown, apart: ReadonlySet<string>): Map<string, Thing[]> {
  const ends = new Map<string, Arrow[]>();
  for (const arrow of arrows) for (const id of [arrow.from, arrow.to]) add(ends, id, arrow);
  const found = new Map<string, Thing[]>();
  for (const thing of things) {
    const [only, ...others] = ends.get(thing.id) ?? [];
    if (thing.role !== "object" || !thing.uri || !only || others.length > 0 || apart.has(thing.id)) continue;
    const id = `${only.kind} ${only.from === thing.id ? only.to : only.from} ${above(thing.uri)}`;
    add(found, id, thing);
  }
  return new Map([...found].filter(([id, inside]) => inside.length > FEW && !apart.has(id)));
}

function add<T>(to: Map<string, T[]>, key: string, one: T): void {
  const known = to.get(key);
  if (known) known.push(one);
  else to.set(key, [one]);
}

function folder(id: string, inside: readonly Thing[]): Thing {
  const uri = above(inside[0]?.uri ?? "");
  const created = inside.map((one) => one.created).sort()[0] ?? "";
  const title = `${uri.split("/").at(-2)}/`;
  return { ...EMPTY, id, title, uri, created, inside };
}

const EMPTY = { kind: "artifact", role: "folder", version: "", schema: "", state: "", metadata: {} } as const;

/** The folder that an object lies in. */
function above(uri: string): string {
  return uri.slice(0, uri.lastIndexOf("/") + 1);
}
