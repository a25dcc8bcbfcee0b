// One redis-server of a run, with its process in our hands.
import { chmod, copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { acceptsConnections } from '../../src/embedded/port.js';
import { findRedis } from '../../src/embedded/redis.js';
import { type Supervised, supervise } from '../../src/embedded/supervise.js';

export interface RedisNodeOptions {
  readonly folder: string;
  readonly port: number;
  /** Beyond the port and the eviction policy. */
  readonly settings?: readonly string[];
}

export class RedisNode {
  readonly port: number;
  readonly cli: Redis;
  readonly #options: RedisNodeOptions;
  #server: Supervised | undefined;
  #pid = 0;

  private constructor(options: RedisNodeOptions) {
    this.#options = options;
    this.port = options.port;
    this.cli = new Redis({ port: this.port, maxRetriesPerRequest: null, retryStrategy: () => 50, lazyConnect: true });
    this.cli.on('error', () => {});
  }

  static async start(options: RedisNodeOptions): Promise<RedisNode> {
    await mkdir(options.folder, { recursive: true });
    await chmod(options.folder, 0o755);
    const node = new RedisNode(options);
    await node.start();
    return node;
  }

  get pid(): number {
    return this.#pid;
  }

  /** Starts it on its files, after `kill`. */
  async start(): Promise<void> {
    const { folder, port, settings = [] } = this.#options;
    const found = findRedis(process.env.PATH ?? '', undefined);
    if (found.kind === 'none') throw new Error(`No Redis to start: ${found.reason}.`);
    const fixed = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--maxmemory-policy', 'volatile-lfu'];
    const server = supervise({
      program: found.path,
      args: [...fixed, '--repl-diskless-sync-delay', '0', '--enable-debug-command', 'local', ...settings],
      folder,
      user: undefined,
      stopSignal: 'TERM',
    });
    this.#server = server;
    await server.says(/ready to accept connections/i, 15_000);
    await acceptsConnections(port);
    this.#pid = Number(/process_id:(\d+)/.exec(await this.cli.info('server'))?.[1]);
  }

  /** Ends it as a crash would: nothing is saved. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    if (this.#pid > 0) signal(this.#pid, 'SIGKILL');
    await server.stop();
  }

  /** Writes a dump and keeps it; `restart('dump')` comes back with what it holds now. */
  async save(): Promise<void> {
    await this.cli.save();
    await copyFile(this.#file('dump.rdb'), this.#file('kept.rdb'));
  }

  /** Crashes it and starts it again, with nothing or with what was saved. */
  async restart(from: 'empty' | 'dump'): Promise<void> {
    await this.kill();
    await rm(this.#file('dump.rdb'), { force: true });
    if (from === 'dump') await copyFile(this.#file('kept.rdb'), this.#file('dump.rdb'));
    await this.start();
  }

  freeze(): void {
    signal(this.#pid, 'SIGSTOP');
  }

  thaw(): void {
    signal(this.#pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    this.cli.disconnect();
    await this.kill();
  }

  #file(name: string): string {
    return join(this.#options.folder, name);
  }
}

/** Sends a signal to a process that may be gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
