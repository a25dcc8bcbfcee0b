// `espelho verify`: what the cache holds is compared with SQL while the gateways serve. Where Redis holds the entries this
// command does it beside the gateways; where a gateway has them in its process, that gateway is asked page by page.

import { connectRedis, keysPerBatch, redisStore, UnknownView, type Verified, verifyBeside } from '../cache/index.js';
import { type Connection, connect, findInstallation, openChangeLog } from '../db/index.js';
import { views } from '../resolvers/index.js';
import { UsageError } from './failure.js';
import type { Terminal } from './terminal.js';
import { countKnownKeys, knownKeys } from './verify-keys.js';
import { findPlace, type Place } from './verify-place.js';
import { differenceInWords, reportInWords, reportOf } from './verify-report.js';
import { showKeys } from './warm-progress.js';

/** A slow answer is no reason to give up: nobody waits for this command. */
const REDIS_MS = 10_000;
const PAGE_MS = 60_000;

export interface VerifyOptions {
  /** All views unless given. */
  readonly view: string | undefined;
  /** This key alone. */
  readonly key: string | undefined;
  /** Drops what is wrong. */
  readonly repair: boolean;
  readonly json: boolean;
}

/** Nobody can be asked, or who was asked did not do it. */
export class CannotVerify extends Error {
  override readonly name = 'CannotVerify';
  readonly code = 'CANNOT_VERIFY';
}

type View = (typeof views)[number];

/** Where pages of keys are compared. */
interface Desk {
  readonly verify: (view: View, keys: readonly string[]) => Promise<Verified>;
  readonly close: () => Promise<void>;
}

/**
 * Prints each difference and, of each view, how many entries agree. Resolves to the exit code: 0, or 1 where an entry was
 * wrong, dropped or not.
 */
export async function verify(options: VerifyOptions, terminal: Terminal): Promise<number> {
  const chosen = chosenViews(options);
  const place = await findPlace(terminal.env);
  if (!place) {
    throw new CannotVerify(
      'No gateway runs on ESPELHO_HOME; start one there, or set DATABASE_URL and REDIS_URL to those of your gateways.',
    );
  }
  const connection = connect({ url: place.databaseUrl, maxReads: 2, maxWrites: 1 });
  try {
    const desk = await openDesk(place, connection, options.repair);
    try {
      let wrong = 0;
      for (const view of chosen) wrong += await verifyView(view, desk, connection, options, terminal);
      return wrong > 0 ? 1 : 0;
    } finally {
      await desk.close();
    }
  } finally {
    await connection.close();
  }
}

function chosenViews({ view: name, key }: VerifyOptions): readonly View[] {
  if (name === undefined) {
    if (key !== undefined) throw new UsageError('--key needs its view: espelho verify VIEW --key KEY.');
    return views;
  }
  const found = views.filter((view) => view.name === name);
  if (found.length > 0) return found;
  throw new UnknownView(
    name,
    views.map((view) => view.name),
  );
}

/** Resolves to how many mismatches there were. */
async function verifyView(
  view: View,
  desk: Desk,
  { query }: Connection,
  { key, json }: VerifyOptions,
  terminal: Terminal,
): Promise<number> {
  const startedMs = performance.now();
  const total = key === undefined ? await countKnownKeys(query, view.name) : 1;
  const pages: Verified[] = [];
  const progress = showKeys(total, terminal);
  try {
    let done = 0;
    for await (const keys of key === undefined ? knownKeys(query, view.name, keysPerBatch(view)) : [[key]]) {
      pages.push(await desk.verify(view, keys));
      done += keys.length;
      progress.show(done);
    }
  } finally {
    progress.stop();
  }
  const report = reportOf(view.name, pages, performance.now() - startedMs);
  for (const difference of pages.flatMap(({ differences }) => differences)) {
    terminal.out(json ? `${JSON.stringify(difference)}\n` : differenceInWords(difference));
  }
  terminal.out(json ? `${JSON.stringify(report)}\n` : reportInWords(report));
  return report.mismatches;
}

async function openDesk(place: Place, { query }: Connection, repair: boolean): Promise<Desk> {
  if (place.kind === 'gateway') {
    return { verify: (view, keys) => askGateway(place, view.name, keys, repair), close: async () => {} };
  }
  const { id, partitions } = await findInstallation(query);
  const connections = await connectRedis(place.redisUrl);
  const store = redisStore({ ...connections, installation: id, timeoutMs: REDIS_MS });
  const changeLog = openChangeLog(place.databaseUrl);
  const servers = { store, changeLog, source: query, partitions };
  return {
    verify: (view, keys) => verifyBeside(servers, view, keys, { repair }),
    close: async () => {
      await store.close();
      await changeLog.close();
    },
  };
}

async function askGateway(
  { gatewayUrl, control = '' }: Extract<Place, { kind: 'gateway' }>,
  view: string,
  keys: readonly string[],
  repair: boolean,
): Promise<Verified> {
  const response = await fetch(new URL('/verify', gatewayUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${control}` },
    body: JSON.stringify({ view, keys, repair }),
    signal: AbortSignal.timeout(PAGE_MS),
  }).catch((cause: unknown) => {
    throw new CannotVerify('The gateway did not answer; look at its log, then run this again.', { cause });
  });
  if (!response.ok) {
    throw new CannotVerify(
      `The gateway could not compare its cache with SQL (HTTP ${response.status}); look at its log, then run this again.`,
    );
  }
  return (await response.json()) as Verified;
}
