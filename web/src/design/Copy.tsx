// Text to take away: ids, commands, code.
import { ActionIcon, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Check, Copy as CopyIcon } from "lucide-react";
import { useTexts } from "~/i18n";
import css from "./Copy.module.css";
import { designTexts } from "./texts";

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const say = useTexts(designTexts);
  const clipboard = useClipboard({ timeout: 1500 });
  const told = clipboard.copied ? say("copied") : (label ?? say("copy"));
  return (
    <Tooltip label={told}>
      <ActionIcon variant="subtle" size="sm" color="gray" aria-label={told} onClick={() => clipboard.copy(text)}>
        {clipboard.copied ? <Check size={14} aria-hidden /> : <CopyIcon size={14} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}

/** A name in one line, cut in the middle of nothing: the whole on hover, and to copy. */
export function Id({ text, shown }: { text: string; shown?: string }) {
  return (
    <span className={css.id}>
      <code title={text}>{shown ?? text}</code>
      <CopyButton text={text} />
    </span>
  );
}

export function Code({ text, label }: { text: string; label: string }) {
  return (
    <section className={css.code} aria-label={label}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long code scrolls, also by keyboard */}
      <pre tabIndex={0}>{text}</pre>
      <span className={css.corner}>
        <CopyButton text={text} />
      </span>
    </section>
  );
}
