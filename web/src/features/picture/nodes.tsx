// How nodes look: regions, groups, cards, chips. A card says what it is, its name, a line more, and its state.
import { Tooltip } from "@mantine/core";
import { type Node as FlowNode, Handle, type NodeProps, Position } from "@xyflow/react";
import {
  Boxes,
  BrainCircuit,
  Database,
  FileCode2,
  FolderOutput,
  GitFork,
  KeyRound,
  Layers,
  ListOrdered,
  type LucideIcon,
  Package,
  Play,
  Route,
  ScrollText,
  Server,
  Split,
  Terminal,
  UserRoundCog,
} from "lucide-react";
import { memo, type ReactNode } from "react";
import type { NodeKind } from "~/api/console.gen";
import { Said } from "~/design/Said";
import { State, stateNow, toneOf } from "~/design/State";
import { useTexts } from "~/i18n";
import { isSlim } from "./arrange";
import type { SeenNode } from "./moment";
import css from "./Picture.module.css";
import { pictureTexts } from "./texts";
import { whyTexts } from "./why";
import { stateOf, subtitle, titleOf, whyNow, whyOf } from "./words";

export interface NodeData extends Record<string, unknown> {
  seen?: SeenNode;
  open?: boolean;
  explains?: boolean;
  region?: "user" | "tenant";
  title?: string;
}

type Given = NodeProps<FlowNode<NodeData>>;

const ICONS: Record<NodeKind, LucideIcon> = {
  caller: Terminal,
  source: Database,
  dataset: Layers,
  splits: Split,
  package: Package,
  pipeline: Route,
  job: Play,
  files: FolderOutput,
  model: BrainCircuit,
  lineage: GitFork,
  logs: ScrollText,
  queue: ListOrdered,
  image: FileCode2,
  attempt: Boxes,
  pool: Boxes,
  replica: Server,
  account: UserRoundCog,
  metadata: KeyRound,
};

const Region = memo(({ data }: Given) => {
  const say = useTexts(pictureTexts);
  const region = data.region ?? "user";
  return (
    <div className={css.region} data-region={region}>
      <strong>{say(`region.${region}`)}</strong>
      <span>{data.title}</span>
    </div>
  );
});

const Group = memo(({ data }: Given) => {
  const say = useTexts(pictureTexts);
  if (!data.seen) return null;
  const { node, state } = data.seen;
  return (
    <Explained data={data}>
      <div className={css.group} data-kind={node.kind} data-open={data.open || undefined} data-region={node.region}>
        <Ends />
        <span className={css.groupTitle}>
          {titleOf(say, node)}
          <small>{subtitle(say, data.seen)}</small>
        </span>
        {state && <State state={state} />}
      </div>
    </Explained>
  );
});

const Card = memo(({ data }: Given) => {
  const say = useTexts(pictureTexts);
  if (!data.seen) return null;
  const { node, printed, over } = data.seen;
  const state = stateOf(data.seen);
  const Icon = ICONS[node.kind];
  const why = whyOf(data.seen);
  const more = whyNow(data.seen) || subtitle(say, data.seen);
  const title = titleOf(say, node);
  const slim = isSlim(node.kind);
  return (
    <Explained data={data}>
      <div
        className={css.card}
        data-kind={node.kind}
        data-region={node.region}
        data-tone={state ? toneOf(state) : undefined}
        data-open={data.open || undefined}
        data-over={over || undefined}
        data-slim={slim || undefined}
        title={[say(`kind.${node.kind}`), title, more, state && stateNow(state)].filter(Boolean).join("\n")}
      >
        <Ends />
        <Icon size={18} aria-hidden className={css.icon} />
        <span className={css.words}>
          {!slim && (
            <span className={css.kind}>
              <i>{say(`kind.${node.kind}`)}</i>
              {state && <State state={state} />}
            </span>
          )}
          <span className={css.title}>{title}</span>
          {more && <span className={css.more}>{why ? <Said text={why} printed={printed} /> : more}</span>}
        </span>
      </div>
    </Explained>
  );
});

const Chip = memo(({ data }: Given) => {
  if (!data.seen) return null;
  const { node } = data.seen;
  const state = stateOf(data.seen);
  return (
    <div
      className={css.chip}
      data-tone={toneOf(state)}
      data-open={data.open || undefined}
      title={`${node.title}: ${stateNow(state)}`}
    >
      <Ends />
      {String(data.seen.facts.index ?? "")}
    </div>
  );
});

/** What the kind of a node is, in a sentence or two, while that is asked for. */
function Explained({ data, children }: { data: NodeData; children: ReactNode }) {
  const why = useTexts(whyTexts);
  if (!data.explains || !data.seen) return children;
  return (
    <Tooltip label={why(data.seen.node.kind)} multiline w={300} events={{ hover: true, focus: true, touch: true }}>
      {children}
    </Tooltip>
  );
}

function Ends() {
  return (
    <>
      <Handle type="target" position={Position.Left} />
      <Handle type="source" position={Position.Right} />
    </>
  );
}

export const NODES = { region: Region, group: Group, card: Card, chip: Chip };
