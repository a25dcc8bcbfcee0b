// The sender of the load, as its parent holds it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Requests at a rate, whatever becomes of them; or by so many askers, each waiting for its answer. */
export interface Order {
  readonly port: number;
  readonly token: string;
  readonly ms: number;
  readonly perSecond: number;
  readonly askers: number;
}

export interface Tally {
  readonly sent: number;
  /** Answered in time. */
  readonly good: number;
  /** Answered too late to be of use. */
  readonly late: number;
  readonly refused: number;
  /** Anything else. */
  readonly failed: number;
  readonly firstFailure: string;
  /** The sender itself could not. */
  readonly unsent: number;
  /** How far the sender itself was behind at worst: its latencies are longer by as much. */
  readonly behindMs: number;
  readonly latenciesMs: readonly number[];
  readonly ms: number;
}

export interface SenderProcess {
  readonly run: (order: Order) => Promise<Tally>;
  readonly close: () => void;
}

export async function startSender(): Promise<SenderProcess> {
  const child = fork(fileURLToPath(new URL('./sender.js', import.meta.url)));
  await once(child, 'message');
  return {
    run: async (order) => {
      child.send(order);
      const [tally] = (await once(child, 'message')) as [Tally];
      return tally;
    },
    close: () => child.disconnect(),
  };
}
