// How many ready answers the gateways gave again, and how many were outdated: both ways of answering are to be under fault.
import { type GatewayProcess, NoAnswer } from './gateway-process.js';
import { pause, type Traffic } from './traffic.js';
import { isRecord } from './wire.js';

/** A gateway that is killed takes along what it counted since. */
const EVERY_MS = 1_000;
const ANSWER_MS = 1_000;
const QUESTION = '{ cacheStatus { answersGiven answersOutdated } }';

interface Counted {
  readonly given: number;
  readonly outdated: number;
}

/** Counts on each gateway until the run is over. */
export function repetitions(traffic: Traffic): Promise<void>[] {
  return traffic.site.gateways.map((gateway) => follow(traffic, gateway));
}

async function follow({ tallies, over }: Traffic, gateway: GatewayProcess): Promise<void> {
  let last: Counted = { given: 0, outdated: 0 };
  while (!over()) {
    await pause(EVERY_MS);
    const now = gateway.up ? await counted(gateway) : undefined;
    if (!now) continue;
    // Another process counts from 0.
    if (now.given < last.given || now.outdated < last.outdated) last = { given: 0, outdated: 0 };
    tallies.answersGiven += now.given - last.given;
    tallies.answersOutdated += now.outdated - last.outdated;
    last = now;
  }
}

async function counted(gateway: GatewayProcess): Promise<Counted | undefined> {
  const answer = await gateway.ask(QUESTION, {}, { timeoutMs: ANSWER_MS }).catch((error: unknown) => {
    if (!(error instanceof NoAnswer)) throw error;
  });
  const status = answer?.data?.cacheStatus;
  if (!isRecord(status)) return undefined;
  return { given: Number(status.answersGiven), outdated: Number(status.answersOutdated) };
}
