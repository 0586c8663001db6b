// The command palette: one box for pages, names, ids, and pasted links.
import { Modal, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type KeyboardEvent, useId, useState } from "react";
import { useProject } from "~/api/session";
import { State } from "~/design/State";
import { type Say, useTexts } from "~/i18n";
import { pageFor, search, titleOf } from "./lookup";
import css from "./Palette.module.css";
import { resolve } from "./resolve";
import { linkTexts } from "./texts";

interface Choice {
  key: string;
  title: string;
  kind: string;
  state?: string | undefined;
  to: string;
}

export function Palette({ onClose }: { onClose: () => void }) {
  const say = useTexts(linkTexts);
  const project = useProject(useParams({ strict: false }).project);
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const { choices, waits, told } = useChoices(text, project.id, say);
  const list = useId();
  const chosen = choices[Math.min(at, choices.length - 1)];
  const go = (choice: Choice | undefined) => {
    if (!choice) return;
    onClose();
    const [path = "", query = ""] = choice.to.split("?");
    void navigate({ to: path as "/", search: Object.fromEntries(new URLSearchParams(query)) as never });
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setAt((now) => (Math.min(now, choices.length - 1) + step + choices.length) % Math.max(1, choices.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(chosen);
    }
  };
  return (
    <Modal opened onClose={onClose} withCloseButton={false} size="lg" yOffset="12vh" aria-label={say("find")}>
      <TextInput
        size="md"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKey}
        placeholder={say("hint")}
        aria-label={say("find")}
        role="combobox"
        aria-expanded={choices.length > 0}
        aria-controls={list}
        aria-activedescendant={chosen && `${list}-${chosen.key}`}
        data-autofocus
      />
      <div role="listbox" id={list} className={css.list} aria-label={say("find")}>
        {choices.map((choice) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the input, as in any combobox
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the input
          <div
            key={choice.key}
            id={`${list}-${choice.key}`}
            role="option"
            aria-selected={choice === chosen}
            className={css.choice}
            onClick={() => go(choice)}
          >
            <span className={css.title}>{choice.title}</span>
            {choice.state && <State state={choice.state} />}
            <span className={css.kind}>{choice.kind}</span>
          </div>
        ))}
      </div>
      <p className={css.told} role="status">
        {waits ? say("looking") : choices.length === 0 ? told : ""}
      </p>
    </Modal>
  );
}

type Words = Say<(typeof linkTexts.keys)[number]>;

function useChoices(text: string, project: string, say: Words) {
  const [rested] = useDebouncedValue(text.trim(), 180);
  const target = resolve(rested, project);
  const link = useQuery({
    queryKey: ["follow", rested, project],
    queryFn: async () => {
      const to = target && (await pageFor(target));
      return to ? { to, title: await titleOf(to) } : null;
    },
    enabled: !!target,
    retry: false,
  });
  const hits = useQuery({
    queryKey: ["search", rested, project],
    queryFn: ({ signal }) => search(rested, project, signal),
    enabled: rested.length > 0 && !target,
  });
  const pages = pagesOf(project, say).filter((one) => one.title.toLowerCase().includes(rested.toLowerCase()));
  const choices: Choice[] = target
    ? link.data
      ? [{ key: "link", title: link.data.title, kind: say("goes"), to: link.data.to }]
      : []
    : [
        ...(hits.data ?? []).map((hit) => ({
          key: hit.to,
          title: hit.title,
          kind: say(hit.kind),
          state: hit.state,
          to: hit.to,
        })),
        ...pages,
      ];
  const told =
    target?.kind === "unbuilt" ? say("unbuilt", { what: target.what }) : target ? say("missing") : say("none");
  return { choices, waits: rested !== text.trim() || (link.isFetching && !link.data) || hits.isFetching, told };
}

function pagesOf(project: string, say: Words): Choice[] {
  const sections = [
    ["home", ""],
    ["training", "/training"],
    ["new", "/training/new"],
    ["datasets", "/datasets"],
    ["models", "/models"],
    ["lineage", "/lineage"],
    ["data", "/data"],
  ] as const;
  const own = sections.map(([key, path]) => ({
    key,
    title: say(key),
    kind: say("page"),
    to: `/projects/${project}${path}`,
  }));
  return [...own, { key: "access", title: say("access"), kind: say("page"), to: "/access" }];
}
