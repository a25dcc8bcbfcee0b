// One end of the channel between the first process and a worker: each may ask the other, and nobody waits for ever.

import type { Message } from './messages.js';

/** What may be asked, and the form of its answer. */
export type Answers = Readonly<Record<string, unknown>>;

export type Answering<Given extends Answers> = { readonly [Name in keyof Given]: () => Promise<Given[Name]> };

export class Link<Given extends Answers, Asked extends Answers> {
  readonly #send: (message: Message) => void;
  readonly #answering: Answering<Given>;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  #next = 1;

  constructor(send: (message: Message) => void, answering: Answering<Given>) {
    this.#send = send;
    this.#answering = answering;
  }

  /** The other side's answer; undefined where it has none, or none within `timeoutMs`. Never rejects. */
  ask<Name extends keyof Asked & string>(name: Name, timeoutMs: number): Promise<Asked[Name] | undefined> {
    const id = this.#next++;
    return new Promise((resolve) => {
      const settle = (value: unknown) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(value as Asked[Name] | undefined); // decoded by the type that both sides were built with
      };
      const timer = setTimeout(() => settle(undefined), timeoutMs);
      this.#waiting.set(id, settle);
      this.#send({ kind: 'question', id, name });
    });
  }

  /** Takes in what the other side has asked or answered; true if the message was one of these. */
  hear(message: Message): boolean {
    if (message.kind === 'answer') this.#waiting.get(message.id)?.(message.value);
    else if (message.kind === 'question') void this.#answer(message.id, message.name);
    else return false;
    return true;
  }

  /** Whoever still waits has no answer. */
  close(): void {
    for (const settle of [...this.#waiting.values()]) settle(undefined);
  }

  async #answer(id: number, name: string): Promise<void> {
    const answering = Object.hasOwn(this.#answering, name) ? this.#answering[name] : undefined;
    const value = await answering?.().catch(() => undefined);
    this.#send({ kind: 'answer', id, value });
  }
}
