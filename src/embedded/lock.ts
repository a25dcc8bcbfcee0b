// One process at a time holds a home, and a hold dies with its process. A hold is the highest numbered file in
// <home>/lock; it counts while the process named in it lives. Numbers only grow, so no two can take over one dead hold.

import { mkdir, readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { HomeInUse } from './errors.js';
import { createPrivateFile, readFileIfAny } from './private-file.js';
import { isAlive, markOfSelf, type ProcessMark } from './process.js';

export type HomeLock = {
  /** Gives the home free; a second call does nothing. */
  readonly release: () => Promise<void>;
};

/**
 * Takes the home for this process.
 *
 * 1. A and B both find hold 5 dead. Both create hold 6; the file system lets one of them, and the other looks again.
 * 2. C found hold 5 dead, then slept while 6 and 7 came and the low numbers were tidied away. C creates hold 6,
 *    sees 7 above it, withdraws, and looks again.
 * A released hold stays, emptied, until a higher one stands: that is what keeps the numbers growing.
 *
 * @throws {HomeInUse} while another holder lives (this process counts as another, too).
 */
export async function lockHome(home: string): Promise<HomeLock> {
  const folder = join(home, 'lock');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (;;) {
    const holds = await holdsIn(folder);
    const top = holds.at(-1) ?? 0;
    const holder = await readHold(folder, top);
    if (holder && isAlive(holder)) throw new HomeInUse(home, holder.pid);
    const mine = join(folder, String(top + 1));
    if (!(await createPrivateFile(mine, JSON.stringify(markOfSelf())))) continue;
    if ((await holdsIn(folder)).at(-1) !== top + 1) {
      await rm(mine, { force: true });
      continue;
    }
    await Promise.all(holds.map((hold) => rm(join(folder, String(hold)), { force: true })));
    return { release: () => truncate(mine) };
  }
}

/** The living process that holds the home, if any. */
export async function holderOf(home: string): Promise<ProcessMark | undefined> {
  const folder = join(home, 'lock');
  const holder = await readHold(folder, (await holdsIn(folder)).at(-1) ?? 0);
  return holder && isAlive(holder) ? holder : undefined;
}

async function holdsIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

async function readHold(folder: string, hold: number): Promise<ProcessMark | undefined> {
  const text = await readFileIfAny(join(folder, String(hold)));
  if (!text) return undefined; // never held, tidied away, or released
  const mark: unknown = JSON.parse(text);
  if (typeof mark !== 'object' || mark === null || !('pid' in mark) || !('birth' in mark)) return undefined;
  if (typeof mark.pid !== 'number' || typeof mark.birth !== 'string') return undefined;
  return { pid: mark.pid, birth: mark.birth };
}
