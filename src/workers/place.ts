// The place of one worker: the process that fills it now, and the next one when that has died.
//
// empty → starting → serving → empty (it died) → starting …, and from anywhere → stopped.

import cluster, { type Worker } from 'node:cluster';
import { WorkerFailed } from './errors.js';
import { type Answering, type Answers, Link } from './link.js';
import { decodeMessage, type Message } from './messages.js';
import { Deaths, type Patience } from './patience.js';

export interface Death {
  /** Such as `SIGKILL` or `exit code 1`. */
  readonly how: string;
  readonly next: { readonly pauseMs: number } | 'give up';
  /** Deaths in a row shortly after a start. */
  readonly early: number;
  /** Whether this place ever had a worker that did its work. */
  readonly served: boolean;
}

export interface PlaceOptions<Report, Given extends Answers> {
  readonly patience: Patience;
  readonly answering: Answering<Given>;
  readonly task: () => object;
  readonly onServing: (report: Report) => void;
  readonly onDeath: (death: Death) => void;
}

interface Life<Given extends Answers, Asked extends Answers> {
  readonly worker: Worker;
  readonly link: Link<Given, Asked>;
  readonly ended: Promise<unknown>;
  /** Undefined until it serves. */
  servingSinceMs: number | undefined;
}

export class Place<Report, Given extends Answers, Asked extends Answers> {
  readonly #options: PlaceOptions<Report, Given>;
  readonly #deaths: Deaths;
  #life: Life<Given, Asked> | undefined;
  #pause: NodeJS.Timeout | undefined;
  #served = false;
  #stopped = false;

  constructor(options: PlaceOptions<Report, Given>) {
    this.#options = options;
    this.#deaths = new Deaths(options.patience);
  }

  get serves(): boolean {
    return this.#life?.servingSinceMs !== undefined;
  }

  /** Resolves once the worker serves, and never if it is stopped before. @throws {WorkerFailed} when it ends before. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) return;
      const worker = cluster.fork();
      const send = (message: Message) => {
        if (worker.isConnected()) worker.send(message, () => {}); // it may be gone by now
      };
      const link = new Link<Given, Asked>(send, this.#options.answering);
      const ended = new Promise((resolved) => worker.once('exit', resolved));
      const life: Life<Given, Asked> = { worker, link, ended, servingSinceMs: undefined };
      this.#life = life;
      worker.on('error', () => {}); // of the channel; that it ended is told by its exit
      worker.on('message', (raw: unknown) => {
        const message = decodeMessage(raw);
        if (!message || link.hear(message)) return;
        if (message.kind === 'here')
          send(this.#stopped ? { kind: 'stop' } : { kind: 'task', task: this.#options.task() });
        if (message.kind !== 'serving') return;
        life.servingSinceMs = performance.now();
        this.#served = true;
        this.#options.onServing(message.report as Report); // decoded by the type that both sides were built with
        resolve();
      });
      worker.once('exit', (code: number | null, signal: string | null) => {
        link.close();
        const how = signal ?? `exit code ${code}`;
        if (!this.#stopped) reject(new WorkerFailed(`A worker could not start (${how}); what it said is above.`));
        this.#died(life, how);
      });
    });
  }

  startAfter(pauseMs: number): void {
    if (this.#stopped) return;
    this.#pause = setTimeout(() => this.start().catch(() => {}), pauseMs); // `onDeath` tells
  }

  async ask<Name extends keyof Asked & string>(name: Name, timeoutMs: number): Promise<Asked[Name] | undefined> {
    return this.#life?.link.ask(name, timeoutMs);
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#pause);
    const life = this.#life;
    if (!life) return;
    const { worker, ended } = life;
    if (worker.isConnected()) worker.send({ kind: 'stop' } satisfies Message, () => {});
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(timer);
  }

  #died(life: Life<Given, Asked>, how: string): void {
    if (this.#life === life) this.#life = undefined;
    const { servingSinceMs } = life;
    const next = this.#deaths.after(servingSinceMs === undefined ? undefined : performance.now() - servingSinceMs);
    this.#options.onDeath({ how, next, early: this.#deaths.early, served: this.#served });
  }
}
