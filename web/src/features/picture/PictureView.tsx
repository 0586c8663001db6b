// The picture of a run, live or at any past instant.
import { useHotkeys } from "@mantine/hooks";
import { useCallback, useMemo, useRef, useState } from "react";
import type { Picture } from "~/api/console.gen";
import { useAddress } from "~/design/address";
import { Empty, Problem, Waiting } from "~/design/Notice";
import { useTexts } from "~/i18n";
import { AsText } from "./AsText";
import { arrange } from "./arrange";
import { bundled, poolsOf } from "./bundle";
import { Canvas } from "./Canvas";
import { Details } from "./Details";
import { Legend } from "./Legend";
import { Markers } from "./Markers";
import { momentOf } from "./moment";
import css from "./Picture.module.css";
import { Timeline } from "./Timeline";
import { type Drawing, type Modes, Tools } from "./Tools";
import { Trouble } from "./Trouble";
import { pictureTexts } from "./texts";
import { useInstant } from "./useInstant";
import { usePicture } from "./usePicture";

interface Given {
  run: string;
  /** when it began to run and when it ended, as the run itself says; 0 while it has not */
  started: number;
  ended: number;
}

export function PictureView({ run, started, ended }: Given) {
  const say = useTexts(pictureTexts);
  const { picture, error } = usePicture(run);
  if (!picture) return error ? <Problem error={error} /> : <Waiting lines={8} height={480} />;
  if (picture.nodes.length === 0) return <Empty title={say("empty")} />;
  return <Shown picture={picture} started={started} ended={ended} />;
}

function Shown({ picture, started, ended }: { picture: Picture; started: number; ended: number }) {
  const [address, change] = useAddress();
  const instant = useInstant(picture, address.at);
  const explains = address.explain === "1";
  const open = address.open ?? "";
  const arrangement = useMemo(() => arrange(picture), [picture]);
  const pools = useMemo(() => poolsOf(picture.nodes), [picture.nodes]);
  const moment = useMemo(() => momentOf(picture, instant.at), [picture, instant.at]);
  const edges = useMemo(() => bundled(moment, arrangement.dense, pools, open), [moment, arrangement, pools, open]);
  const choose = useCallback((id: string | undefined) => change({ open: id ?? "" }), [change]);
  const asText = address.as === "text";
  const [large, setLarge] = useState(false);
  useHotkeys([["Escape", () => (open ? choose(undefined) : setLarge(false))]]);
  const modes = useMemo<Modes>(
    () => ({
      explains: [explains, () => change({ explain: explains ? "" : "1" })],
      text: [asText, () => change({ as: asText ? "" : "text" })],
      large: [large, () => setLarge((on) => !on)],
    }),
    [explains, asText, large, change],
  );
  const now: Drawing = { picture, arrangement, moment, edges, at: instant.at };
  const drawing = useRef(now);
  drawing.current = now;
  return (
    <div className={css.view} data-large={large || undefined}>
      <div className={css.stage}>
        <Markers />
        <div className={css.canvas}>
          <div className={css.sheet}>
            <Tools drawing={drawing} modes={modes} />
            {asText ? (
              <AsText moment={moment} explains={explains} onOpen={choose} />
            ) : (
              <Canvas
                key={String(large)}
                picture={picture}
                arrangement={arrangement}
                moment={moment}
                edges={edges}
                open={open}
                explains={explains}
                live={instant.live}
                onOpen={choose}
              />
            )}
            <Trouble picture={picture} moment={moment} open={open} onOpen={choose} />
          </div>
          {explains && <Legend />}
        </div>
        {open && (
          <Details picture={picture} moment={moment} id={open} explains={explains} onClose={() => choose(undefined)} />
        )}
      </div>
      <Timeline picture={picture} instant={instant} started={started} ended={ended} />
    </div>
  );
}
