// The slider through time, with a mark for each thing that happened.
import { ActionIcon, Button, Select, Slider, Tooltip } from "@mantine/core";
import { Pause, Play, Radio } from "lucide-react";
import { useMemo } from "react";
import type { Picture } from "~/api/console.gen";
import { isOver } from "~/design/State";
import { useTexts } from "~/i18n";
import { formatClock } from "~/lib/times";
import { formatDuration } from "~/lib/units";
import css from "./Picture.module.css";
import { pictureTexts } from "./texts";
import { type Instant, SPEEDS } from "./useInstant";

const MOST_MARKS = 200;

interface Given {
  picture: Picture;
  instant: Instant;
  started: number;
  ended: number;
}

export function Timeline({ picture, instant, started, ended }: Given) {
  const say = useTexts(pictureTexts);
  const { at, from, to, live, playing } = instant;
  const marks = useMemo(
    () => picture.moments.slice(-MOST_MARKS).map((one) => ({ value: one.time })),
    [picture.moments],
  );
  const told = (value: number) => `+${formatDuration(value - from)} · ${formatClock(value, true)}`;
  const ran = started && at >= started ? Math.min(at, ended || at) - started : undefined;
  return (
    <div className={css.timeline}>
      <Tooltip label={playing ? say("pause") : say("play")}>
        <ActionIcon
          variant="default"
          size="lg"
          aria-label={playing ? say("pause") : say("play")}
          onClick={() => instant.play(!playing)}
        >
          {playing ? <Pause size={16} aria-hidden /> : <Play size={16} aria-hidden />}
        </ActionIcon>
      </Tooltip>
      <Select
        aria-label={say("speed")}
        data={SPEEDS.map((value) => ({ value: String(value), label: `${value} ×` }))}
        value={String(instant.speed)}
        onChange={(value) => instant.setSpeed(Number(value ?? 1))}
        allowDeselect={false}
        className={css.speed ?? ""}
      />
      <div className={css.slider}>
        <Slider
          min={from}
          max={to}
          step={Math.max(1, Math.round((to - from) / 2000))}
          value={at}
          onChange={(value) => instant.seek(value >= to ? undefined : value)}
          label={told}
          marks={marks}
          thumbLabel={say("time")}
          size="sm"
        />
      </div>
      <span className={css.clock} title={say("clock")}>
        {told(at)}
        <br />
        {ran === undefined ? say("clock.waits") : say("clock.ran", { length: formatDuration(ran) })}
      </span>
      <Button
        variant={live ? "light" : "default"}
        leftSection={<Radio size={14} aria-hidden />}
        onClick={() => instant.seek(undefined)}
        aria-pressed={live}
        title={say(isOver(picture.state) ? "end.go" : "live.go")}
      >
        {say(isOver(picture.state) ? "end" : "live")}
      </Button>
    </div>
  );
}
