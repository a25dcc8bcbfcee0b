// What a process keeps, once everything that nobody needs is gone.
import { setTimeout as sleep } from 'node:timers/promises';

/** Mebibytes in use after the garbage was collected; needs --expose-gc. */
export async function heapMb(): Promise<number> {
  for (let time = 0; time < 3; time += 1) {
    globalThis.gc?.();
    await sleep(50); // finalisers and closed connections let go of the rest
  }
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}
