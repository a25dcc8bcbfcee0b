// A process to be measured, as its parent holds it: what it has used so far, and its end.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type SideName = 'espelho' | 'plain' | 'tuned';

/** What a process is told when it starts, as JSON on its command line. */
export interface Setting {
  readonly side: SideName;
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

/** Since the process began. */
export interface Usage {
  readonly cpuUs: number;
  readonly hits: number;
  readonly misses: number;
}

export interface SideProcess {
  readonly name: SideName;
  readonly url: string;
  readonly usage: () => Promise<Usage>;
  readonly close: () => Promise<void>;
}

/** Starts a gateway of one side; with `profile`, a folder, it leaves a profile of its time there when it ends. */
export async function startSide(setting: Setting, profile: string | undefined): Promise<SideProcess> {
  const file = fileURLToPath(new URL('./side.js', import.meta.url));
  const execArgv = profile
    ? ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${setting.side}.cpuprofile`]
    : [];
  const child = fork(file, [JSON.stringify(setting)], { execArgv });
  const ended = once(child, 'exit').then(() => {
    throw new Error('A side of the comparison ended; see its last lines above.');
  });
  ended.catch(() => {});
  const { url } = await told<{ url: string }>(child, ended);
  return {
    name: setting.side,
    url,
    usage: () => {
      child.send('usage');
      return told<Usage>(child, ended);
    },
    close: async () => {
      if (child.exitCode !== null) return;
      child.send('close');
      await once(child, 'exit');
    },
  };
}

async function told<Message>(child: ChildProcess, ended: Promise<never>): Promise<Message> {
  const said = new Promise<Message>((resolve) => {
    child.once('message', (message) => resolve(message as Message));
  });
  return Promise.race([said, ended]);
}
