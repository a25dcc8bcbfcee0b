// A gateway in production, in a process of its own, as the operator of `docs/security.md` starts it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Outcome {
  /** Where it is reached; undefined when it ended. */
  readonly url?: string;
  readonly said: string;
  readonly code?: number | null;
}

/** Starts it with `env`; resolves once it is ready or has ended, and `stop` ends it. */
export async function startProduction(env: NodeJS.ProcessEnv): Promise<Outcome & { stop: () => Promise<void> }> {
  const cli = fileURLToPath(new URL('../../src/cli/index.ts', import.meta.url));
  const gateway = spawn(process.execPath, ['--import', 'tsx', cli, 'serve'], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      PORT: '0',
      ESPELHO_TOKEN_PEPPER: 'a pepper for tests, with more than 32 characters',
      ESPELHO_MASTER_KEY: '0123456789abcdef'.repeat(4),
      ESPELHO_DEMO: '1',
      ESPELHO_DOCUMENTS: 'any',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const outcome = await outcomeOf(gateway);
  return { ...outcome, stop: () => stop(gateway) };
}

async function stop(gateway: ChildProcess): Promise<void> {
  if (gateway.exitCode !== null || gateway.signalCode !== null) return;
  gateway.kill('SIGTERM');
  await once(gateway, 'exit');
}

/** The URL of a gateway that is ready, or all that it said before it ended. */
function outcomeOf(gateway: ChildProcess): Promise<Outcome> {
  return new Promise((resolve) => {
    let said = '';
    const listen = (chunk: Buffer) => {
      said += chunk;
      const [, url] = /ready at (http:\/\/\S+)\/graphql[\s\S]*Stop it/.exec(said) ?? [];
      if (url) resolve({ url, said });
    };
    gateway.stdout?.on('data', listen);
    gateway.stderr?.on('data', listen);
    gateway.once('exit', (code) => resolve({ said, code }));
  });
}
