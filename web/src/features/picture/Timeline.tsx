// The slider through time, with a mark for each thing that happened.
import { ActionIcon, Button, Select, Slider, Tooltip } from "@mantine/core";
import { Pause, Play, Radio } from "lucide-react";
import { memo } from "react";
import type { Picture } from "~/api/console.gen";
import { isOver } from "~/design/State";
import { useTexts } from "~/i18n";
import { formatClock } from "~/lib/times";
import { formatDuration } from "~/lib/units";
import css from "./Picture.module.css";
import { pictureTexts } from "./texts";
import { type Instant, SPEEDS } from "./useInstant";

const MOST_MARKS = 200;
const SECOND = 1_000_000;

interface Given {
  picture: Picture;
  instant: Instant;
  started: number;
  ended: number;
}

export function Timeline({ picture, instant, started, ended }: Given) {
  const say = useTexts(pictureTexts);
  const { at, from, to, live, playing } = instant;
  const ran = started && at >= started ? Math.min(at, ended || at) - started : undefined;
  return (
    <div className={css.timeline}>
      <Playing playing={playing} speed={instant.speed} play={instant.play} setSpeed={instant.setSpeed} />
      <Track
        moments={picture.moments}
        from={from}
        to={live && !isOver(picture.state) ? from + Math.ceil((to - from) / SECOND) * SECOND : to}
        at={live ? undefined : at}
        seek={instant.seek}
      />
      <span className={css.clock} title={say("clock")}>
        {told(from, at)}
        <br />
        {ran === undefined ? say("clock.waits") : say("clock.ran", { length: formatDuration(ran) })}
      </span>
      <Present live={live} over={isOver(picture.state)} seek={instant.seek} />
    </div>
  );
}

function told(from: number, at: number): string {
  return `+${formatDuration(at - from)} · ${formatClock(at, true)}`;
}

// While one watches, something changes several times a second; of these it is seldom what they show.

const Playing = memo(({ playing, speed, play, setSpeed }: Pick<Instant, "playing" | "speed" | "play" | "setSpeed">) => {
  const say = useTexts(pictureTexts);
  const label = playing ? say("pause") : say("play");
  return (
    <>
      <Tooltip label={label}>
        <ActionIcon variant="default" size="lg" aria-label={label} onClick={() => play(!playing)}>
          {playing ? <Pause size={16} aria-hidden /> : <Play size={16} aria-hidden />}
        </ActionIcon>
      </Tooltip>
      <Select
        aria-label={say("speed")}
        data={SPEEDS.map((value) => ({ value: String(value), label: `${value} ×` }))}
        value={String(speed)}
        onChange={(value) => setSpeed(Number(value ?? 1))}
        allowDeselect={false}
        className={css.speed ?? ""}
      />
    </>
  );
});

interface TrackGiven {
  moments: Picture["moments"];
  from: number;
  to: number;
  /** undefined at the end */
  at: number | undefined;
  seek: Instant["seek"];
}

const Track = memo(({ moments, from, to, at = to, seek }: TrackGiven) => {
  const say = useTexts(pictureTexts);
  return (
    <div className={css.slider}>
      <Slider
        min={from}
        max={to}
        step={Math.max(1, Math.round((to - from) / 2000))}
        value={at}
        onChange={(value) => seek(value >= to ? undefined : value)}
        label={(value) => told(from, value)}
        marks={moments.slice(-MOST_MARKS).map((one) => ({ value: one.time }))}
        thumbLabel={say("time")}
        size="sm"
      />
    </div>
  );
});

const Present = memo(({ live, over, seek }: { live: boolean; over: boolean; seek: Instant["seek"] }) => {
  const say = useTexts(pictureTexts);
  return (
    <Button
      variant={live ? "light" : "default"}
      leftSection={<Radio size={14} aria-hidden />}
      onClick={() => seek(undefined)}
      aria-pressed={live}
      title={say(over ? "end.go" : "live.go")}
    >
      {say(over ? "end" : "live")}
    </Button>
  );
});
