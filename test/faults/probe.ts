// When hits are served again: a few keys that nobody writes are asked of each gateway, with a trace, until it hits.
import { parameterProbe } from './domain-parameter.js';
import { type GatewayProcess, NoAnswer } from './gateway-process.js';
import { pause } from './traffic.js';

const EVERY_MS = 60;
const ANSWER_MS = 2_000;

/**
 * Resolves to the time until every gateway has answered mostly from the cache, or until the run was over; undefined if it
 * takes longer than `withinMs`.
 */
export async function untilHits(
  gateways: readonly GatewayProcess[],
  withinMs: number,
  over: () => boolean,
): Promise<number | undefined> {
  const startedMs = performance.now();
  const isInTime = () => performance.now() - startedMs < withinMs && !over();
  const times = await Promise.all(
    gateways.map(async (gateway) => {
      while (isInTime()) {
        const askedMs = performance.now();
        if (gateway.up && (await hits(gateway))) return askedMs - startedMs;
        await pause(EVERY_MS);
      }
      return undefined;
    }),
  );
  const known = times.filter((ms) => ms !== undefined);
  return known.length === times.length ? Math.max(...known) : undefined;
}

async function hits(gateway: GatewayProcess): Promise<boolean> {
  const answer = await gateway
    .ask(parameterProbe, {}, { trace: true, timeoutMs: ANSWER_MS })
    .catch((error: unknown) => {
      if (!(error instanceof NoAnswer)) throw error;
    });
  const outcomes = answer?.trace.filter(({ view }) => view === 'parameter') ?? [];
  const hit = outcomes.filter(({ outcome }) => outcome === 'HIT').length;
  return outcomes.length > 0 && hit > outcomes.length / 2;
}
