// `espelho warm`: the entries of a view are filled from SQL before anybody asks for them. Where Redis holds them this
// command does it beside the gateways; where a gateway has them in its process, that gateway is asked page by page.

import { connectRedis, redisStore, UnknownView, visit } from '../cache/index.js';
import {
  type Connection,
  connect,
  countLiveEntries,
  findInstallation,
  openChangeLog,
  type Query,
} from '../db/index.js';
import { attachEmbedded } from '../embedded/index.js';
import { readRuntimeTtls, views, type WarmedPage, warmPage } from '../resolvers/index.js';
import { commandConfig } from './database.js';
import type { Terminal } from './terminal.js';
import { showKeys } from './warm-progress.js';

/** A script that stores large entries takes its time; nobody waits for this command. */
const REDIS_MS = 10_000;
const PAGE_MS = 60_000;

export interface WarmOptions {
  readonly view: string;
  readonly json: boolean;
}

/** Nobody can be asked, or who was asked did not do it. */
export class CannotWarm extends Error {
  override readonly name = 'CannotWarm';
  readonly code = 'CANNOT_WARM';
}

/** Fills the entries of all live keys of the view, and prints how many there are and how many stand then. */
export async function warm({ view: name, json }: WarmOptions, terminal: Terminal): Promise<void> {
  const view = requireView(name);
  const place = await findPlace(terminal);
  const connection = connect({ url: place.databaseUrl, maxReads: 2, maxWrites: 1 });
  const startedMs = performance.now();
  try {
    const total = (await countLiveEntries(connection.query)).get(name) ?? 0;
    const fillNext =
      place.kind === 'redis'
        ? await openBeside(view, connection, place, terminal)
        : { page: (after: string | undefined) => askGateway(place, name, after), close: async () => {} };
    const progress = showKeys(total, terminal);
    let [keys, warmed] = [0, 0];
    try {
      for (let after: string | null | undefined; after !== null; ) {
        const page = await fillNext.page(after);
        keys += page.keys;
        warmed += page.warmed;
        after = page.last;
        progress.show(keys);
      }
    } finally {
      progress.stop();
      await fillNext.close();
    }
    const report = { view: name, keys, warmed, ms: Math.round(performance.now() - startedMs) };
    terminal.out(json ? `${JSON.stringify(report)}\n` : readable(report));
  } finally {
    await connection.close();
  }
}

type View = (typeof views)[number];

type Place =
  | { readonly kind: 'redis'; readonly databaseUrl: string; readonly redisUrl: string }
  | {
      readonly kind: 'gateway';
      readonly databaseUrl: string;
      readonly gatewayUrl: string;
      readonly control: string | undefined;
    };

function requireView(name: string): View {
  const view = views.find((each) => each.name === name);
  if (view) return view;
  throw new UnknownView(
    name,
    views.map((each) => each.name),
  );
}

async function findPlace({ env }: Terminal): Promise<Place> {
  const config = commandConfig(env);
  const running = config.databaseUrl === undefined ? await attachEmbedded(config.home) : undefined;
  const databaseUrl = config.databaseUrl ?? running?.databaseUrl;
  const redisUrl = running?.redisUrl ?? config.redisUrl;
  if (databaseUrl !== undefined && redisUrl !== undefined && (config.databaseUrl || running?.gatewayUrl)) {
    return { kind: 'redis', databaseUrl, redisUrl };
  }
  if (databaseUrl !== undefined && running?.gatewayUrl !== undefined) {
    return { kind: 'gateway', databaseUrl, gatewayUrl: running.gatewayUrl, control: running.control };
  }
  throw new CannotWarm(
    'No gateway runs on ESPELHO_HOME; start one there, or set DATABASE_URL and REDIS_URL to those of your gateways.',
  );
}

interface Filling {
  readonly page: (after: string | undefined) => Promise<WarmedPage>;
  readonly close: () => Promise<void>;
}

/** The engine beside the gateways. @throws `CacheUnavailable` where no gateway has begun to use this Redis. */
async function openBeside(
  view: View,
  { query }: Connection,
  { databaseUrl, redisUrl }: { readonly databaseUrl: string; readonly redisUrl: string },
  { env }: Terminal,
): Promise<Filling> {
  const { id, partitions } = await findInstallation(query);
  const connections = await connectRedis(redisUrl);
  const store = redisStore({ ...connections, installation: id, timeoutMs: REDIS_MS });
  const changeLog = openChangeLog(databaseUrl);
  try {
    const runtimeTtls = await readRuntimeTtls(query);
    const overrides = commandConfig(env).ttlMs;
    const visiting = await visit<Query>({ store, changeLog, source: query, partitions, overrides, runtimeTtls });
    return {
      page: (after) => warmPage(query, (keys) => visiting.warm(view, keys), view.name, after),
      close: store.close,
    };
  } catch (error) {
    await store.close();
    throw error;
  } finally {
    await changeLog.close();
  }
}

async function askGateway(
  { gatewayUrl, control = '' }: { readonly gatewayUrl: string; readonly control: string | undefined },
  view: string,
  after: string | undefined,
): Promise<WarmedPage> {
  const response = await fetch(new URL('/warm', gatewayUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${control}` },
    body: JSON.stringify({ view, after }),
    signal: AbortSignal.timeout(PAGE_MS),
  }).catch((cause: unknown) => {
    throw new CannotWarm('The gateway did not answer; look at its log, and run this again: it goes on where it was.', {
      cause,
    });
  });
  if (!response.ok) {
    throw new CannotWarm(
      `The gateway could not fill its cache (HTTP ${response.status}); look at its log, then run this again.`,
    );
  }
  return (await response.json()) as WarmedPage;
}

function readable({ view, keys, warmed, ms }: { view: string; keys: number; warmed: number; ms: number }): string {
  const count = (number: number) => number.toLocaleString('en');
  const rest = keys - warmed;
  const left = rest > 0 ? `; ${count(rest)} were being written, and are left to their writers` : '';
  return `${view}: ${count(warmed)} of ${count(keys)} entries stand, after ${count(ms)} ms${left}.\n`;
}
