// A worker's end of the channel: what it is told to do, and whom it asks about the others.

import { type Answering, type Answers, Link } from './link.js';
import { decodeMessage, type Message } from './messages.js';

export interface Employment<Task, Report, Asked extends Answers> {
  readonly task: Task;
  /** Tells the first process that the work is done from now on. */
  readonly serving: (report: Report) => void;
  readonly ask: <Name extends keyof Asked & string>(name: Name, timeoutMs: number) => Promise<Asked[Name] | undefined>;
}

/**
 * Takes up the work of this process, and resolves to it; `answering` says what may be asked of it, `onStop` is called when
 * it is to end. Undefined where nobody has started it as a worker.
 */
export function takeUp<Task, Report, Given extends Answers, Asked extends Answers>(
  answering: Answering<Given>,
  onStop: () => void,
): Promise<Employment<Task, Report, Asked>> | undefined {
  if (!process.send) return undefined;
  const send = (message: Message) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => {}); // nobody may be left to hear it
  };
  const link = new Link<Given, Asked>(send, answering);
  return new Promise((resolve) => {
    process.on('message', (raw: unknown) => {
      const message = decodeMessage(raw);
      if (!message || link.hear(message)) return;
      if (message.kind === 'stop') onStop();
      if (message.kind !== 'task') return;
      resolve({
        task: message.task as Task, // decoded by the type that both sides were built with
        serving: (report) => send({ kind: 'serving', report }),
        ask: (name, timeoutMs) => link.ask(name, timeoutMs),
      });
    });
    send({ kind: 'here' });
  });
}
