// The log of a job, live.
export function LogView({ job }: { job: string; over: boolean }) {
  return <pre>{job}</pre>;
}
