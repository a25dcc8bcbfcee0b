// Who runs where: the server under measurement has the first core to itself; the load, Redis and Postgres have the others.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

export interface Cores {
  /** What to put before a command that serves with so many workers. */
  readonly forServer: (workers: number) => readonly string[];
  readonly told: string;
  readonly count: number;
}

/** Binds this process and what it starts from now on to the cores that are not the server's, where that is possible. */
export function divideCores(): Cores {
  const count = availableParallelism();
  const hasTaskset = spawnSync('taskset', ['--version']).status === 0;
  if (!hasTaskset || count < 2) {
    const reason = count < 2 ? 'there is only one core' : 'there is no taskset';
    return { count, forServer: () => [], told: `nothing is pinned: ${reason}` };
  }
  spawnSync('taskset', ['-a', '-c', '-p', `1-${count - 1}`, String(process.pid)]);
  return {
    count,
    forServer: (workers) => ['taskset', '-c', `0-${Math.min(workers, count) - 1}`],
    told: `server on core 0; load, Redis and Postgres on ${count === 2 ? 'core 1' : `cores 1 to ${count - 1}`}`,
  };
}
