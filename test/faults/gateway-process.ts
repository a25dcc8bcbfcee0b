// One gateway as its own process, behind its links, with its standard error in a file.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { signal } from './redis-node.js';

export interface GatewayOptions {
  readonly name: string;
  readonly port: number;
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
  /** The bearer token of whoever asks. */
  readonly token: () => string;
  /** It ended although nobody asked it to; it is started again. */
  readonly onDeath: (how: string) => void;
}

export interface GraphQLAnswer {
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly { readonly code: string; readonly path: readonly unknown[]; readonly message: string }[];
  /** Outcomes by entry, when the request asked for a trace. */
  readonly trace: readonly { readonly view: string; readonly outcome: string }[];
}

export interface Asking {
  /** Whether the answer shows what became of each entry; such an answer is never one that was given before. */
  readonly trace?: boolean;
  readonly mark?: number | undefined;
  readonly token?: string;
  readonly timeoutMs?: number;
}

/** No answer, or none that makes sense: a write may have happened. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** False where nobody listened: then nothing happened. */
  readonly sent: boolean;

  constructor(why: string) {
    super(why);
    this.sent = !why.includes('ECONNREFUSED');
  }
}

// Ends with us, even if we are killed: our end of its standard input closes.
const LIFELINE =
  "data:text/javascript,process.stdin.on('end',()=>process.kill(process.pid,'SIGKILL')).resume().unref()";
const REQUEST_TIMEOUT_MS = 20_000;
const START_MS = 30_000;

export class GatewayProcess {
  readonly name: string;
  /** Where the compiled code is that the next start runs. */
  root: string;
  readonly #options: GatewayOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  #child: ChildProcess | undefined;
  #log: FileHandle | undefined;
  #starting: Promise<void> | undefined;
  #ending = false;
  up = false;

  constructor(root: string, options: GatewayOptions) {
    this.root = root;
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it, again and again while its stores are away, and resolves once it answers. */
  start(): Promise<void> {
    this.#starting ??= this.#startUntilUp().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #startUntilUp(): Promise<void> {
    const deadlineMs = performance.now() + START_MS;
    this.#log ??= await open(this.#options.logFile, 'a');
    while (!this.#ending) {
      if (await this.#startOnce(this.#log.fd)) return;
      if (performance.now() > deadlineMs) throw new Error(`${this.name} did not start within ${START_MS} ms.`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async #startOnce(log: number): Promise<boolean> {
    const child = spawn(process.execPath, ['--import', LIFELINE, `${this.root}/dist/cli/index.js`, 'serve'], {
      cwd: this.root,
      env: { PATH: process.env.PATH ?? '', ...this.#options.env, PORT: String(this.#options.port) },
      stdio: ['pipe', 'pipe', log],
    });
    this.#child = child;
    child.stdin?.on('error', () => {});
    const exited = once(child, 'exit').then(([code, by]) => `${code ?? by}`);
    const ready = new Promise<true>((resolve) => {
      child.stdout?.on('data', (text: Buffer) => text.includes('is ready') && resolve(true));
    });
    const started = await Promise.race([ready, exited.then(() => false)]);
    if (!started) return false;
    this.up = true;
    exited.then((how) => {
      if (this.#child !== child) return;
      this.up = false;
      this.#child = undefined;
      if (this.#ending) return;
      this.#options.onDeath(how);
      this.start().catch(() => {});
    });
    return true;
  }

  /** Ends it with -9, at once. */
  kill(): void {
    this.#letGo()?.kill('SIGKILL');
  }

  /** Ends it in good order, or after 8 s by force. */
  async stop(): Promise<void> {
    const child = this.#letGo();
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 8_000);
    await gone;
    clearTimeout(timer);
  }

  freeze(): void {
    if (this.pid > 0) signal(this.pid, 'SIGSTOP');
  }

  thaw(): void {
    if (this.pid > 0) signal(this.pid, 'SIGCONT');
  }

  /** For good. */
  async close(): Promise<void> {
    this.#ending = true;
    this.thaw();
    await this.stop();
    this.#agent.destroy();
    await this.#log?.close();
  }

  /**
   * Asks with the bytes that the same question had before, so that it may be given the same answer; with a `mark`, which
   * stands for spaces that mean nothing, only with those of the same mark.
   * @throws {NoAnswer} when there is no answer, or none within `timeoutMs`.
   */
  async ask(
    query: string,
    variables: object = {},
    { trace = false, mark, token = this.#options.token(), timeoutMs = REQUEST_TIMEOUT_MS }: Asking = {},
  ): Promise<GraphQLAnswer> {
    const body = JSON.stringify({ query, variables }) + (mark === undefined ? '' : spacesOf(mark));
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      authorization: `Bearer ${token}`,
      ...(trace && { 'x-cache-trace': '1' }),
    };
    const text = await new Promise<string>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.#options.port, path: '/graphql', method: 'POST', headers };
      const sent = request({ ...options, agent: this.#agent, timeout: timeoutMs }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.once('end', () => resolve(Buffer.concat(pieces).toString()));
        response.once('close', () => reject(new NoAnswer('The answer broke off.')));
      });
      sent.once('timeout', () => sent.destroy(new Error('timeout')));
      sent.once('error', (error) => reject(new NoAnswer(error.message)));
      sent.end(body);
    });
    return decode(text);
  }

  #letGo(): ChildProcess | undefined {
    const child = this.#child;
    this.#child = undefined;
    this.up = false;
    return child;
  }
}

/** The number in binary, in spaces and tabs. */
const spacesOf = (mark: number) => mark.toString(2).replaceAll('0', ' ').replaceAll('1', '\t');

interface RawAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { message: string; path?: unknown[]; extensions?: { code?: string } }[];
  readonly extensions?: { readonly cache?: readonly { view: string; outcome: string }[] };
}

function decode(text: string): GraphQLAnswer {
  let answer: RawAnswer;
  try {
    answer = JSON.parse(text) as RawAnswer;
  } catch {
    throw new NoAnswer('The answer is not JSON.');
  }
  return {
    data: answer.data ?? null,
    errors: (answer.errors ?? []).map(({ message, path = [], extensions }) => {
      return { message, path, code: extensions?.code ?? 'NONE' };
    }),
    trace: answer.extensions?.cache ?? [],
  };
}
