// The worker pools of a new job: how many replicas on which machines.
import { Button, NumberInput, Select } from "@mantine/core";
import { Plus, X } from "lucide-react";
import type { Offers } from "~/api/console.gen";
import { useTexts } from "~/i18n";
import { joinWords } from "~/lib/words";
import css from "./New.module.css";
import { ALONE, MOST_POOLS, type Pool } from "./pools";
import { newTexts } from "./texts";

const ROLES = ["pool.0", "pool.1", "pool.2", "pool.3"] as const;
const ADD = ["pool.1.add", "pool.1.add", "pool.2.add", "pool.3.add"] as const;

interface Given {
  pools: readonly Pool[];
  onChange: (pools: readonly Pool[]) => void;
  offers: Offers | undefined;
}

export function Pools({ pools, onChange, offers }: Given) {
  const say = useTexts(newTexts);
  const last = pools.length - 1;
  const set = (at: number, changes: Partial<Pool>) =>
    onChange(pools.map((pool, i) => (i === at ? { ...pool, ...changes } : pool)));
  const add = () => {
    const { machine, accelerator, accelerators } = pools[0] ?? ALONE;
    onChange([...pools, { machine, accelerator, accelerators, replicas: 1 }]);
  };
  return (
    <>
      {pools.map((pool, at) => (
        <PoolFields
          // biome-ignore lint/suspicious/noArrayIndexKey: the place of a pool is what it is
          key={at}
          pool={pool}
          at={at}
          offers={offers}
          onChange={(changes) => set(at, changes)}
          onRemove={at > 0 && at === last ? () => onChange(pools.slice(0, last)) : undefined}
        />
      ))}
      {pools.length < MOST_POOLS && (
        <div>
          <Button variant="default" size="compact-sm" leftSection={<Plus size={14} aria-hidden />} onClick={add}>
            {say(ADD[pools.length] ?? "pool.1.add")}
          </Button>
        </div>
      )}
    </>
  );
}

interface PoolGiven {
  pool: Pool;
  at: number;
  offers: Offers | undefined;
  onChange: (changes: Partial<Pool>) => void;
  onRemove: (() => void) | undefined;
}

function PoolFields({ pool, at, offers, onChange, onRemove }: PoolGiven) {
  const say = useTexts(newTexts);
  const { machines = [], accelerators = [] } = offers ?? {};
  return (
    <fieldset className={css.pool}>
      <legend>
        {say(ROLES[at] ?? "pool.1")}
        {onRemove && (
          <Button
            variant="subtle"
            color="gray"
            size="compact-xs"
            leftSection={<X size={12} aria-hidden />}
            onClick={onRemove}
          >
            {say("pool.remove")}
          </Button>
        )}
      </legend>
      <Select
        label={say("machine")}
        data={withValue(machines, pool.machine)}
        value={pool.machine}
        onChange={(machine) => onChange({ machine: machine ?? pool.machine })}
        searchable
        allowDeselect={false}
      />
      <NumberInput
        label={say("replicas")}
        min={at ? 0 : 1}
        max={at ? 1000 : 1}
        value={pool.replicas}
        disabled={at === 0}
        onChange={(value) => onChange({ replicas: Math.max(0, Number(value) || 0) })}
      />
      <Select
        label={say("accelerator")}
        placeholder={say("accelerator.none")}
        data={withValue(accelerators, pool.accelerator)}
        value={pool.accelerator || null}
        onChange={(accelerator) =>
          onChange({
            accelerator: accelerator ?? "",
            accelerators: accelerator ? Math.max(1, pool.accelerators) : 0,
          })
        }
        searchable
        clearable
      />
      <NumberInput
        label={say("accelerators")}
        min={pool.accelerator ? 1 : 0}
        max={16}
        value={pool.accelerators}
        disabled={!pool.accelerator}
        onChange={(value) => onChange({ accelerators: Math.max(1, Number(value) || 1) })}
      />
      {pool.task && (
        <p className={css.own}>
          {say("pool.own")} <code>{commandOf(pool.task)}</code>
        </p>
      )}
    </fieldset>
  );
}

function commandOf({ containerSpec, pythonPackageSpec }: NonNullable<Pool["task"]>): string {
  const words = containerSpec
    ? [...(containerSpec.command ?? []), ...(containerSpec.args ?? [])]
    : ["python", "-m", pythonPackageSpec?.pythonModule ?? "", ...(pythonPackageSpec?.args ?? [])];
  return joinWords(words);
}

/** What is offered, and what was chosen even if it is not. */
export function withValue(offered: readonly string[], value: string): string[] {
  return !value || offered.includes(value) ? [...offered] : [value, ...offered];
}
