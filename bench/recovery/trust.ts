// When gateways trust their store, and when not: each is asked again and again.
import { type GatewayProcess, NoAnswer } from '../../test/faults/gateway-process.js';
import { pause } from '../../test/faults/traffic.js';
import { isRecord } from '../../test/faults/wire.js';

const EVERY_MS = 10;
const ANSWER_MS = 2_000;
const WITHIN_MS = 30_000;

/** What all of these gateways said by when; Infinity where one of them did not say so for 30 s. */
export async function untilAll(gateways: readonly GatewayProcess[], trusted: boolean): Promise<number> {
  return Math.max(...(await Promise.all(gateways.map((gateway) => until(gateway, trusted)))));
}

/** When each gateway had lost its trust and found it again, at the latest; Infinity where one did not. */
export async function untilRegained(gateways: readonly GatewayProcess[]): Promise<number> {
  const regained = async (gateway: GatewayProcess) => {
    return Number.isFinite(await until(gateway, false)) ? until(gateway, true) : Number.POSITIVE_INFINITY;
  };
  return Math.max(...(await Promise.all(gateways.map(regained))));
}

async function until(gateway: GatewayProcess, trusted: boolean): Promise<number> {
  const deadlineMs = performance.now() + WITHIN_MS;
  while (performance.now() < deadlineMs) {
    if ((await trusts(gateway)) === trusted) return performance.now();
    await pause(EVERY_MS);
  }
  return Number.POSITIVE_INFINITY;
}

async function trusts(gateway: GatewayProcess): Promise<boolean | undefined> {
  const asked = gateway.ask('{ cacheStatus { trusted } }', {}, { timeoutMs: ANSWER_MS });
  const answer = await asked.catch((error: unknown) => {
    if (!(error instanceof NoAnswer)) throw error;
  });
  const status = answer?.data?.cacheStatus;
  return isRecord(status) ? status.trusted === true : undefined;
}
