// Waiting for the relay, where a write is too large to be published.
import { waitForBarrier } from '../db/index.js';
import type { Services } from './context.js';

const DEADLINE_MS = 10_000;
/** The first look; each one after it lasts twice as long, because it asks for what was committed until it began. */
const FIRST_LOOK_MS = 500;

/** Whether the relay has covered what was committed so far. Gives up early where it cannot: this gateway trusts no store. */
export async function isCarriedOver({ cache, db }: Pick<Services, 'cache' | 'db'>): Promise<boolean> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  for (let lookMs = FIRST_LOOK_MS; performance.now() < deadlineMs; lookMs *= 2) {
    const lookEndsMs = performance.now() + lookMs;
    if (await waitForBarrier(db, lookMs)) return true;
    // Refused at once: no gateway is alive.
    if (!cache.status().trusted || performance.now() < lookEndsMs) return false;
  }
  return false;
}
