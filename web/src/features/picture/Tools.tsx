// Above the picture: what is this, link to a moment, save as SVG, show as text, enlarge.
import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Check, CircleQuestionMark, Download, Link2, type LucideIcon, Maximize2, Minimize2, Text } from "lucide-react";
import { memo, type RefObject } from "react";
import type { Picture } from "~/api/console.gen";
import { useTexts } from "~/i18n";
import type { Arrangement } from "./arrange";
import type { Drawn } from "./bundle";
import type { Moment } from "./moment";
import css from "./Picture.module.css";
import { svgOf } from "./svg";
import { pictureTexts } from "./texts";

/** What can be on or off, each with what turns it. */
export interface Modes {
  explains: readonly [boolean, () => void];
  text: readonly [boolean, () => void];
  large: readonly [boolean, () => void];
}

/** What is drawn now. */
export interface Drawing {
  picture: Picture;
  arrangement: Arrangement;
  moment: Moment;
  edges: readonly Drawn[];
  at: number;
}

interface Given {
  /** asked when something is done with it: a picture that changes all the time is no reason to draw its tools anew */
  drawing: RefObject<Drawing>;
  modes: Modes;
}

export const Tools = memo(({ drawing, modes }: Given) => {
  const say = useTexts(pictureTexts);
  const clipboard = useClipboard({ timeout: 1500 });
  const link = () => {
    const address = new URL(location.href);
    address.searchParams.set("at", String(Math.round(drawing.current.at)));
    clipboard.copy(address.href);
  };
  const save = () => {
    const { picture, arrangement, moment, edges } = drawing.current;
    const text = svgOf(picture, arrangement, moment, edges, say, coloursOf(document.documentElement));
    const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    const anchor = document.createElement("a");
    anchor.href = url;
    anchor.download = `${picture.title.replace(/[^\w.-]+/g, "-") || "run"}.svg`;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  const [explains, explain] = modes.explains;
  const [text, toText] = modes.text;
  const [large, enlarge] = modes.large;
  return (
    <div className={css.bar} role="toolbar" aria-label={say("tools")}>
      <Button
        variant={explains ? "light" : "default"}
        size="compact-sm"
        leftSection={<CircleQuestionMark size={15} aria-hidden />}
        aria-pressed={explains}
        onClick={explain}
      >
        {say("explain")}
      </Button>
      <Tool icon={Text} label={say("text")} on={text} act={toText} />
      <Tool icon={clipboard.copied ? Check : Link2} label={say(clipboard.copied ? "linked" : "link")} act={link} />
      <Tool icon={Download} label={say("export")} act={save} />
      <Tool icon={large ? Minimize2 : Maximize2} label={say("large")} on={large} act={enlarge} />
    </div>
  );
});

function Tool({ icon: Icon, label, on, act }: { icon: LucideIcon; label: string; on?: boolean; act: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant={on ? "light" : "default"} size="md" aria-label={label} aria-pressed={on} onClick={act}>
        <Icon size={15} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

/** The tokens of the theme that is on, by name: a file of its own can't ask for them later. */
function coloursOf(root: HTMLElement): (name: string) => string {
  const style = getComputedStyle(root);
  return (name) => style.getPropertyValue(name).trim();
}
