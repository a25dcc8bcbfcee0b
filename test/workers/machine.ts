// A gateway of several processes, as `espelho serve` starts it, and what a test does to it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.js';

export interface Machine {
  readonly url: string;
  /** Where the numbers and the health of the whole are. */
  readonly operations: string;
  /** By role. */
  readonly tokens: ReadonlyMap<string, string>;
  /** The first process. */
  readonly process: ChildProcess;
  /** The processes of the workers, the oldest first. */
  readonly workers: () => readonly number[];
  /** The worker that answered a request, once its log says so. */
  readonly workerOf: (requestId: string) => Promise<number>;
  /** Lines of the log, decoded. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** All that was printed. */
  readonly said: () => string;
  /** Ends it, by force if need be; does nothing when it has ended. */
  readonly close: () => Promise<void>;
}

const START_MS = 240_000;
const PROGRAM = fileURLToPath(new URL('../../src/cli/index.ts', import.meta.url));
// Ends with us, even if we are killed: our end of its standard input closes.
const LIFELINE =
  "data:text/javascript,process.stdin.on('end',()=>process.kill(process.pid,'SIGKILL')).resume();process.stdin.unref?.()";

/** A start of the program, which may fail; `ready` resolves to what came of it. */
export function spawnMachine(env: NodeJS.ProcessEnv): { readonly child: ChildProcess; readonly said: () => string } {
  const { PATH, HOME, USER } = process.env;
  const child = spawn(process.execPath, ['--import', LIFELINE, '--import', 'tsx', PROGRAM, 'serve'], {
    env: { PATH, HOME, USER, PORT: '0', ESPELHO_METRICS_PORT: '0', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true, // a group of its own, for what reaches every process of a terminal
  });
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  return { child, said: () => said };
}

/** Starts the program with these settings; resolves once it is ready. */
export async function startMachine(env: NodeJS.ProcessEnv): Promise<Machine> {
  const { child, said } = spawnMachine(env);
  const log: Record<string, unknown>[] = [];
  if (child.stderr) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.startsWith('{')) log.push(JSON.parse(line));
    });
  }
  const close = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
    await exited;
    clearTimeout(timer);
  };
  try {
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`It ended: ${said()}`);
      return said().includes('Stop it with Ctrl-C.');
    }, START_MS);
  } catch (error) {
    await close();
    throw error;
  }
  const [, url = ''] = /ready at (\S+)\/graphql/.exec(said()) ?? [];
  const [, operations = ''] = /metrics: (\S+)\/metrics/.exec(said()) ?? [];
  const tokens = new Map(
    [...said().matchAll(/token for (\S+): (\S+)/g)].map(([, role = '', token = '']) => [role, token]),
  );
  return {
    url,
    operations,
    tokens,
    process: child,
    workers: () => childrenOf(child.pid ?? 0).filter((pid) => commandOf(pid).includes('worker')),
    workerOf: (requestId) =>
      eventually(() => {
        const line = log.find((each) => each.requestId === requestId);
        return typeof line?.worker === 'number' ? line.worker : undefined;
      }),
    log,
    said,
    close,
  };
}

export interface Reply {
  readonly status: number;
  readonly requestId: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared with what a test expects.
  readonly data: any;
}

/** One connection that stays with the worker that took it. */
export interface Line {
  /** Rejects when the connection is lost. */
  readonly ask: (query: string, token?: string, more?: Readonly<Record<string, string>>) => Promise<Reply>;
  readonly close: () => void;
}

export function openLine(url: string): Line {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask: Line['ask'] = (query, token, more = {}) =>
    new Promise<Reply>((resolve, reject) => {
      const body = JSON.stringify({ query });
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...more,
      };
      const sent = request(`${url}/graphql`, { method: 'POST', agent, headers, timeout: 60_000 }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece) => pieces.push(piece));
        response.once('error', reject);
        response.once('end', () => {
          const { statusCode = 0, headers } = response;
          const { data } = JSON.parse(Buffer.concat(pieces).toString()) as { data?: unknown };
          resolve({ status: statusCode, requestId: String(headers['x-request-id']), data });
        });
      });
      sent.once('timeout', () => sent.destroy(new Error('timeout')));
      sent.once('error', reject);
      sent.end(body);
    });
  return { ask, close: () => agent.destroy() };
}

/** Whether a process is at work. */
export function isRunning(pid: number): boolean {
  const state = fieldsOf(pid)?.[0];
  return state !== undefined && state !== 'Z';
}

/** The process and all below it. */
export function familyOf(pid: number): readonly number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => Number(fieldsOf(other)?.[1]) === pid && isRunning(other))
    .sort((a, b) => a - b);
}

/** State and parent of a process; undefined once it has ended. */
function fieldsOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
