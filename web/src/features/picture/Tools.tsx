// Beside the picture: link to a moment, save as SVG, show as text.
import { Button } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Download, Link2, Text } from "lucide-react";
import type { Picture } from "~/api/console.gen";
import { useTexts } from "~/i18n";
import type { Arrangement } from "./arrange";
import type { Drawn } from "./bundle";
import type { Moment } from "./moment";
import { svgOf } from "./svg";
import { pictureTexts } from "./texts";

interface Given {
  picture: Picture;
  arrangement: Arrangement;
  moment: Moment;
  edges: readonly Drawn[];
  at: number;
  asText: boolean;
  onText: (on: boolean) => void;
}

export function Tools({ picture, arrangement, moment, edges, at, asText, onText }: Given) {
  const say = useTexts(pictureTexts);
  const clipboard = useClipboard({ timeout: 1500 });
  const link = () => {
    const address = new URL(location.href);
    address.searchParams.set("at", String(Math.round(at)));
    clipboard.copy(address.href);
  };
  const save = () => {
    const text = svgOf(picture, arrangement, moment, edges, say, coloursOf(document.documentElement));
    const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    const anchor = document.createElement("a");
    anchor.href = url;
    anchor.download = `${picture.title.replace(/[^\w.-]+/g, "-") || "run"}.svg`;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return (
    <>
      <Button size="compact-sm" variant="default" leftSection={<Link2 size={14} aria-hidden />} onClick={link}>
        {clipboard.copied ? say("linked") : say("link")}
      </Button>
      <Button size="compact-sm" variant="default" leftSection={<Download size={14} aria-hidden />} onClick={save}>
        {say("export")}
      </Button>
      <Button
        size="compact-sm"
        variant={asText ? "light" : "default"}
        leftSection={<Text size={14} aria-hidden />}
        aria-pressed={asText}
        onClick={() => onText(!asText)}
      >
        {say("text")}
      </Button>
    </>
  );
}

/** The tokens of the theme that is on, by name: a file of its own can't ask for them later. */
function coloursOf(root: HTMLElement): (name: string) => string {
  const style = getComputedStyle(root);
  return (name) => style.getPropertyValue(name).trim();
}
