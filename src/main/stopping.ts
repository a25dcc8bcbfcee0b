// The end of a process: what was opened is closed in turn, the last opened first.

import { isWriteToLostSocket } from '../db/index.js';

/** What a start needs to take down again, the last opened first. */
export type Closer = () => Promise<unknown>;

/** One Ctrl-C may come twice, from the terminal and from npm; what comes within this time is the same one. */
const SAME_SIGNAL_MS = 1_000;

/** Stops in good order when called, and ends the process; a later call does not wait. `tell` hears why it could not. */
export function stopper(closers: Closer[], tell: (...words: unknown[]) => void): (exitCode?: number) => void {
  let stoppingSince: number | undefined;
  return (exitCode = 0) => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    closeAll(closers).then(
      () => process.exit(exitCode),
      (error: unknown) => {
        tell('Espelho did not stop cleanly:', error instanceof Error ? error.message : error);
        process.exit(1);
      },
    );
  };
}

/** Ends at whatever is not caught, but for the one exception that is no reason to: what the driver wrote to was gone. */
export function endAtDefects(tell: (...words: unknown[]) => void): void {
  process.on('uncaughtException', (error: unknown) => {
    if (isWriteToLostSocket(error)) return; // and its promise has been rejected
    tell('Espelho met a defect and ends:', error);
    process.exit(1);
  });
}

export async function closeAll(closers: Closer[]): Promise<void> {
  for (let close = closers.shift(); close; close = closers.shift()) await close();
}
