// Worker pools: the primary, workers, parameter servers, an evaluator. Pure.
import type { ContainerSpec, PythonPackageSpec, WorkerPoolSpec } from "~/api/vertex.gen";

/** What a replica runs. */
export interface Task {
  containerSpec?: ContainerSpec;
  pythonPackageSpec?: PythonPackageSpec;
}

export interface Pool {
  machine: string;
  /** as the API names it; empty for none */
  accelerator: string;
  /** accelerators of each replica */
  accelerators: number;
  /** the primary's is 1; a pool with 0 only keeps the place of those after it */
  replicas: number;
  /** what it runs where that is not what the primary runs */
  task?: Task;
}

export const MOST_POOLS = 4;
export const ALONE: Pool = { machine: "n1-standard-4", accelerator: "", accelerators: 0, replicas: 1 };

/** Whether the SDK can say it in short: a primary, and workers on the same machines. */
export function areAlike([primary, workers, ...others]: readonly Pool[]): boolean {
  if (!primary || others.length) return false;
  if (!workers) return true;
  const same = (key: "machine" | "accelerator" | "accelerators") => primary[key] === workers[key];
  return workers.replicas > 0 && !workers.task && same("machine") && same("accelerator") && same("accelerators");
}

export function replicasOf(pools: readonly Pool[]): number {
  return pools.reduce((sum, pool) => sum + pool.replicas, 0);
}

/** The pools as the API takes them, all of which run the task but those that have one of their own. */
export function specsOf(pools: readonly Pool[], task: Task): WorkerPoolSpec[] {
  return pools.map((pool) => {
    if (pool.replicas < 1) return {};
    const { accelerator, accelerators } = pool;
    return {
      machineSpec: {
        machineType: pool.machine,
        ...(accelerator && {
          acceleratorType: accelerator as "NVIDIA_TESLA_T4",
          acceleratorCount: Math.max(1, accelerators),
        }),
      },
      replicaCount: String(pool.replicas),
      ...(pool.task ?? task),
    };
  });
}

/** The pools of specifications: what `specsOf` makes of it, back again. */
export function poolsOf(specs: readonly WorkerPoolSpec[]): Pool[] {
  const primary = taskOf(specs[0] ?? {});
  const pools = specs.slice(0, MOST_POOLS).map((spec): Pool => {
    const { machineType, acceleratorType, acceleratorCount } = spec.machineSpec ?? {};
    const has = !!acceleratorType && acceleratorType !== "ACCELERATOR_TYPE_UNSPECIFIED";
    const task = taskOf(spec);
    const replicas = Number(spec.replicaCount ?? 0);
    return {
      machine: machineType ?? ALONE.machine,
      accelerator: has ? acceleratorType : "",
      accelerators: has ? Number(acceleratorCount ?? 1) : 0,
      replicas,
      ...(replicas > 0 && JSON.stringify(task) !== JSON.stringify(primary) && { task }),
    };
  });
  return pools.length ? pools : [ALONE];
}

function taskOf({ containerSpec, pythonPackageSpec }: WorkerPoolSpec): Task {
  return { ...(containerSpec && { containerSpec }), ...(pythonPackageSpec && { pythonPackageSpec }) };
}
