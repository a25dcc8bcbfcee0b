// The gateway to be overloaded, as its parent holds it. Its log goes where logs go in production: down a pipe, or a file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { devNull } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What the process is told when it starts, as JSON on its command line. */
export interface Setting {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** How many tokens it issues to be revoked. */
  readonly tokens: number;
}

export interface Started {
  readonly url: string;
  /** The token of somebody who may do anything. */
  readonly editor: string;
  readonly doomed: readonly { readonly id: string; readonly secret: string }[];
}

export interface GatewayProcess extends Started {
  readonly close: () => Promise<void>;
}

/** `before` is put before the command. */
export async function startGatewayProcess(setting: Setting, before: readonly string[]): Promise<GatewayProcess> {
  const file = fileURLToPath(new URL('./gateway.js', import.meta.url));
  const log = await open(devNull, 'w');
  const [program = process.execPath, ...args] = [...before, process.execPath, file, JSON.stringify(setting)];
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', log.fd, 'ipc'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The gateway ended with ${code}.`);
  });
  ended.catch(() => {});
  const [started] = (await Promise.race([once(child, 'message'), ended])) as [Started];
  return {
    ...started,
    close: async () => {
      if (child.exitCode !== null) return;
      child.send('close');
      await once(child, 'exit');
      await log.close();
    },
  };
}
