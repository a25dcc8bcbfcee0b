// Homes that tests make and leave none of, and owners: processes of their own that run the servers of a home.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The path of a home that does not exist yet, in a folder that everyone may enter; removed after the test. */
export async function newHome(parent = tmpdir(), mode = 0o755): Promise<string> {
  const folder = await mkdtemp(join(parent, 'espelho-'));
  await chmod(folder, mode);
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 20 }));
  return join(folder, 'home');
}

export type Owner = {
  readonly process: ChildProcess;
  /** What the owner printed once its servers ran. */
  readonly databaseUrl: string;
  readonly redisUrl: string | undefined;
  readonly data: string;
};

/** Starts a process that opens `home`; resolves once its servers run. It is killed after the test. */
export async function startOwner(home: string, env: NodeJS.ProcessEnv = process.env): Promise<Owner> {
  const owner = spawnOwner(home, env);
  const [line] = await once(createInterface({ input: owner.stdout }), 'line');
  return { process: owner, ...JSON.parse(line) };
}

/** Starts a process that opens `home`, without waiting for it. It is killed after the test. */
export function spawnOwner(home: string, env: NodeJS.ProcessEnv = process.env) {
  const script = fileURLToPath(new URL('owner.ts', import.meta.url));
  const owner = spawn(process.execPath, ['--import', 'tsx', script, home], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void owner.kill('SIGKILL'));
  return owner;
}

/** Resolves once `check` holds; rejects after `ms`. */
export async function eventually(check: () => Promise<boolean> | boolean, ms: number): Promise<void> {
  const startedMs = performance.now();
  while (!(await check())) {
    if (performance.now() - startedMs > ms) throw new Error(`not within ${ms} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
