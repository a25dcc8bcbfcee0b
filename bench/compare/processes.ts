// What Linux says of a process and of those that it has started: time on the processor, and memory.
import { readFileSync } from 'node:fs';

export interface Use {
  readonly cpuUs: number;
  readonly rssMiB: number;
  readonly processes: number;
}

const TICK_US = 10_000; // sysconf(_SC_CLK_TCK) is 100 wherever Node runs on Linux

/** The sum over the process and its descendants; NaN where there is no /proc. */
export function useOf(pid: number): Use {
  try {
    const all = [pid, ...descendantsOf(pid)];
    const uses = all.map((one) => ({ cpuUs: cpuUsOf(one), rssMiB: rssMiBOf(one) }));
    return {
      cpuUs: uses.reduce((sum, { cpuUs }) => sum + cpuUs, 0),
      rssMiB: uses.reduce((sum, { rssMiB }) => sum + rssMiB, 0),
      processes: all.length,
    };
  } catch {
    return { cpuUs: Number.NaN, rssMiB: Number.NaN, processes: Number.NaN };
  }
}

function descendantsOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const pids = children === '' ? [] : children.split(' ').map(Number);
  return [...pids, ...pids.flatMap(descendantsOf)];
}

function cpuUsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from the third field on
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

function rssMiBOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1_024;
}
