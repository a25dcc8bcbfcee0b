// <home>/run.json: what the process that holds the home runs, so that a command beside it finds the same servers.
// It holds passwords, so only its owner may read it; it counts only while its writer lives.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HomeUnusable, hasCode } from './errors.js';
import { holderOf } from './lock.js';
import { readFileIfAny, replacePrivateFile } from './private-file.js';

export type RunInfo = {
  readonly pid: number;
  readonly databaseUrl: string;
  /** The private Redis, if there is one. */
  readonly redisUrl: string | undefined;
  /** Undefined while the gateway still starts, and while a command holds the home for the length of its work. */
  readonly gatewayUrl: string | undefined;
  /** What the gateway accepts at /inspect; undefined without a gateway. */
  readonly control: string | undefined;
};

/**
 * What runs on this home right now, or undefined when nothing does.
 * @throws {HomeUnusable} when the home belongs to another user.
 */
export async function attachEmbedded(home: string): Promise<RunInfo | undefined> {
  try {
    const holder = await holderOf(home);
    const run = holder && decode(await readFileIfAny(fileIn(home)));
    return run && run.pid === holder.pid ? run : undefined;
  } catch (error) {
    if (!hasCode(error, 'EACCES', 'EPERM')) throw error;
    const sentence = `${home} belongs to another user. Run the command as the user who started the gateway.`;
    throw new HomeUnusable(home, sentence, { cause: error });
  }
}

/** Tells commands beside us what runs here. */
export async function writeRun(home: string, run: RunInfo): Promise<void> {
  await replacePrivateFile(fileIn(home), `${JSON.stringify(run, null, 2)}\n`);
}

/** Tells commands beside us that nothing runs here any more. */
export async function removeRun(home: string): Promise<void> {
  await rm(fileIn(home), { force: true });
}

const fileIn = (home: string) => join(home, 'run.json');

function decode(text: string | undefined): RunInfo | undefined {
  if (text === undefined) return undefined;
  const run: unknown = JSON.parse(text);
  if (typeof run !== 'object' || run === null || !('pid' in run) || !('databaseUrl' in run)) return undefined;
  if (typeof run.pid !== 'number' || typeof run.databaseUrl !== 'string') return undefined;
  return {
    pid: run.pid,
    databaseUrl: run.databaseUrl,
    redisUrl: 'redisUrl' in run && typeof run.redisUrl === 'string' ? run.redisUrl : undefined,
    gatewayUrl: 'gatewayUrl' in run && typeof run.gatewayUrl === 'string' ? run.gatewayUrl : undefined,
    control: 'control' in run && typeof run.control === 'string' ? run.control : undefined,
  };
}
