// Tells living processes from dead ones, also where a pid has been given to another process since.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** One process, now and forever: a pid and what tells it from a later process with the same pid. */
export type ProcessMark = { readonly pid: number; readonly birth: string };

/** The mark of this very process. */
export function markOfSelf(): ProcessMark {
  return { pid: process.pid, birth: birthOf(process.pid) ?? '' };
}

/** Whether the marked process still runs. A process whose birth is hidden from us counts as running. */
export function isAlive(mark: ProcessMark): boolean {
  if (!answers(mark.pid)) return false;
  const birth = birthOf(mark.pid);
  return birth === undefined || birth === mark.birth;
}

/** The command line of `pid`, or undefined when none runs (or shows itself) under that number. */
export function commandOf(pid: number): string | undefined {
  if (!answers(pid)) return undefined;
  if (process.platform === 'linux') return readProc(pid, 'cmdline')?.replaceAll('\0', ' ');
  return askPs(pid, 'command=');
}

function answers(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function birthOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return askPs(pid, 'lstart=');
  const stat = readProc(pid, 'stat');
  if (stat === undefined) return undefined;
  // The name in parentheses may hold anything; the fields after it are state (3rd) and, as the 22nd, the start time.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z') return 'dead';
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}`;
}

function readProc(pid: number, file: 'stat' | 'cmdline'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

function askPs(pid: number, column: string): string | undefined {
  const env = { ...process.env, LC_ALL: 'C' };
  const { stdout } = spawnSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8', env });
  return stdout?.trim() || undefined;
}
