// What is shown of the list of runs, and saved views of it.
import { ActionIcon, Button, Menu, MultiSelect, Popover, Select, TextInput } from "@mantine/core";
import { Bookmark, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { SearchBox } from "~/design/SearchBox";
import { designTexts } from "~/design/texts";
import { useTexts } from "~/i18n";
import css from "./Training.module.css";
import { trainingTexts } from "./texts";
import type { Filters } from "./useRuns";
import { useViews } from "./views";

const STATES = ["QUEUED", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLING", "CANCELLED"] as const;

export function FilterBar({ filters, onChange }: { filters: Filters; onChange: (changes: Filters) => void }) {
  const say = useTexts(trainingTexts);
  const word = useTexts(designTexts);
  const states = filters.state ? filters.state.split(",") : [];
  return (
    <div className={css.filters}>
      <SearchBox label={say("search")} value={filters.q ?? ""} onChange={(q) => onChange({ q })} width={240} />
      <MultiSelect
        aria-label={say("states")}
        placeholder={states.length ? "" : say("any")}
        data={STATES.map((value) => ({ value, label: word(`state.${value}`) }))}
        value={states}
        onChange={(chosen) => onChange({ state: chosen.join(",") })}
        clearable
        className={css.states ?? ""}
      />
      <Select
        aria-label={say("kind")}
        data={[
          { value: "", label: say("kind.any") },
          { value: "trainingPipelines", label: say("kind.trainingPipelines") },
          { value: "customJobs", label: say("kind.customJobs") },
        ]}
        value={filters.kind ?? ""}
        onChange={(kind) => onChange({ kind: kind ?? "" })}
        allowDeselect={false}
        className={css.kind ?? ""}
      />
      <SearchBox
        label={say("label")}
        value={filters.label ?? ""}
        onChange={(label) => onChange({ label })}
        width={210}
      />
      <Views filters={filters} onChange={onChange} />
    </div>
  );
}

function Views({ filters, onChange }: { filters: Filters; onChange: (changes: Filters) => void }) {
  const say = useTexts(trainingTexts);
  const { views, save, remove } = useViews();
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const keep = (event: FormEvent) => {
    event.preventDefault();
    const { q, state, kind, label, order } = filters;
    save({ name: name.trim(), filters: { q, state, kind, label, order } });
    setNaming(false);
    setName("");
  };
  return (
    <>
      <Menu position="bottom-start" closeOnItemClick={false}>
        <Menu.Target>
          <Button variant="default" leftSection={<Bookmark size={15} aria-hidden />}>
            {say("views")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {views.length === 0 && <Menu.Label>{say("views.none")}</Menu.Label>}
          {views.map((view) => (
            <div key={view.name} className={css.view}>
              <Menu.Item
                onClick={() => onChange({ q: "", state: "", kind: "", label: "", order: "", ...view.filters })}
              >
                {view.name}
              </Menu.Item>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={say("views.remove", { name: view.name })}
                onClick={() => remove(view.name)}
              >
                <X size={14} aria-hidden />
              </ActionIcon>
            </div>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Popover opened={naming} onChange={setNaming} trapFocus>
        <Popover.Target>
          <Button variant="subtle" onClick={() => setNaming(true)}>
            {say("views.save")}
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <form onSubmit={keep} className={css.naming}>
            <TextInput
              aria-label={say("views.name")}
              placeholder={say("views.name")}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              required
              data-autofocus
            />
            <Button type="submit">{say("save")}</Button>
          </form>
        </Popover.Dropdown>
      </Popover>
    </>
  );
}
