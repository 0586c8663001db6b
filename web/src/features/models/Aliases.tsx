// The aliases of a version: taken away, given, and moved from the version that has one.
import { ActionIcon, Button, TextInput, Tooltip } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { vertex } from "~/api/client";
import type { Model } from "~/api/vertex.gen";
import { Problem } from "~/design/Notice";
import { useTexts } from "~/i18n";
import { loserOf } from "./holders";
import css from "./Models.module.css";
import { modelTexts } from "./texts";

interface Given {
  model: Model;
  /** of the model, without a version */
  name: string;
  /** all of the model */
  versions: readonly Model[];
}

export function Aliases({ model, name, versions }: Given) {
  const say = useTexts(modelTexts);
  const queries = useQueryClient();
  const [typed, setTyped] = useState("");
  const merge = useMutation({
    mutationFn: (change: string) =>
      vertex<Model>(`${name}@${model.versionId}:mergeVersionAliases`, {
        method: "POST",
        body: { versionAliases: [change] },
      }),
    onSuccess: () => {
      setTyped("");
      return queries.invalidateQueries({ queryKey: ["resource", name] });
    },
  });
  const loser = loserOf(typed, versions, model);
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (typed.trim()) merge.mutate(typed.trim());
  };
  return (
    <div>
      <span className={css.aliases}>
        {(model.versionAliases ?? []).map((alias) => (
          <span key={alias} className={css.alias}>
            {alias}
            {alias !== "default" && (
              <Tooltip label={say("alias.remove", { alias })}>
                <ActionIcon
                  size={16}
                  variant="subtle"
                  color="gray"
                  aria-label={say("alias.remove", { alias })}
                  onClick={() => merge.mutate(`-${alias}`)}
                >
                  <X size={12} aria-hidden />
                </ActionIcon>
              </Tooltip>
            )}
          </span>
        ))}
        <form onSubmit={add} className={css.add}>
          <TextInput
            size="xs"
            aria-label={say("alias.add")}
            placeholder={say("alias.add")}
            title={say("alias.hint")}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <Button size="compact-xs" type="submit" variant="default" disabled={!typed.trim()} loading={merge.isPending}>
            {say(loser ? "move" : "add")}
          </Button>
        </form>
      </span>
      <p className={css.moves} role="status">
        {loser && say("alias.moves", { alias: typed.trim(), from: loser, to: model.versionId })}
      </p>
      {merge.isError && <Problem error={merge.error} />}
    </div>
  );
}
