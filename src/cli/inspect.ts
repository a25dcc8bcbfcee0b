// `espelho inspect`: what the cache holds of one entry. A running gateway of this home is asked, since the store may be
// in its process; else Redis is looked into directly. Nothing is changed either way.

import {
  connectRedis,
  type EntryFacts,
  fieldOf,
  partitionOf,
  printedKey,
  redisStore,
  UnknownView,
} from '../cache/index.js';
import { connect, findInstallation, openChangeLog } from '../db/index.js';
import { attachEmbedded, type RunInfo } from '../embedded/index.js';
import { views } from '../resolvers/index.js';
import { commandConfig } from './database.js';
import type { Terminal } from './terminal.js';

const ANSWER_MS = 5_000;

export interface InspectOptions {
  readonly view: string;
  readonly key: string;
  readonly json: boolean;
}

/** Nobody can be asked, or who was asked did not answer the question. */
export class CannotInspect extends Error {
  override readonly name = 'CannotInspect';
  readonly code = 'CANNOT_INSPECT';
}

/**
 * Prints the entry's state, version, age, TTL and size.
 * @throws {CannotInspect} when there is neither a gateway on this home nor a Redis to look into.
 */
export async function inspect({ view, key, json }: InspectOptions, terminal: Terminal): Promise<void> {
  const known = views.find(({ name }) => name === view);
  if (!known) {
    throw new UnknownView(
      view,
      views.map(({ name }) => name),
    );
  }
  const { databaseUrl, redisUrl, home } = commandConfig(terminal.env);
  const running = databaseUrl === undefined ? await attachEmbedded(home) : undefined;
  const facts = running?.gatewayUrl
    ? await askGateway(running.gatewayUrl, running, view, key)
    : await lookIntoRedis({ databaseUrl, redisUrl }, known, key);
  const shown = { view, key: printedKey(known, key), ...factsOnly(facts) };
  terminal.out(json ? `${JSON.stringify(shown)}\n` : readable(shown));
}

type Facts = { [Name in keyof EntryFacts]: EntryFacts[Name] | null };

async function askGateway(gatewayUrl: string, running: RunInfo, view: string, key: string): Promise<Facts> {
  const response = await fetch(new URL('/inspect', gatewayUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${running.control ?? ''}` },
    body: JSON.stringify({ view, key }),
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((cause: unknown) => {
    throw new CannotInspect('The gateway did not answer; look at its log.', { cause });
  });
  if (response.status === 404) return absent;
  if (!response.ok) {
    throw new CannotInspect(`The gateway refused to tell (HTTP ${response.status}); restart it, and look at its log.`);
  }
  return (await response.json()) as Facts;
}

/** Under the guard that Postgres keeps for the key's partition: what that does not vouch for counts as absent. */
async function lookIntoRedis(
  { databaseUrl, redisUrl }: { readonly databaseUrl: string | undefined; readonly redisUrl: string | undefined },
  view: { readonly name: string; readonly format: number },
  key: string,
): Promise<Facts> {
  if (databaseUrl === undefined || redisUrl === undefined) {
    throw new CannotInspect(
      'No gateway runs on ESPELHO_HOME; start one there, or set DATABASE_URL and REDIS_URL to those of your gateways.',
    );
  }
  const connection = connect({ url: databaseUrl, maxReads: 1, maxWrites: 1 });
  const changeLog = openChangeLog(databaseUrl);
  try {
    const { id, partitions } = await findInstallation(connection.query);
    const partition = partitionOf(view.name, key, partitions);
    const guard = (await changeLog.partitions()).find((row) => row.partition === partition);
    if (!guard) return absent;
    const connections = await connectRedis(redisUrl);
    const store = redisStore({ ...connections, installation: id, timeoutMs: ANSWER_MS });
    try {
      return await store.inspect({ partition, guard }, view.name, key, fieldOf(view));
    } finally {
      await store.close();
    }
  } finally {
    await changeLog.close();
    await connection.close();
  }
}

const absent: Facts = { version: undefined, state: 'absent', ageMs: undefined, ttlMs: undefined, bytes: 0 };

function factsOnly({ state, version, ageMs, ttlMs, bytes }: Facts) {
  return { state, version: version ?? null, ageMs: ageMs ?? null, ttlMs: ttlMs ?? null, bytes };
}

function readable(shown: { view: string; key: string } & ReturnType<typeof factsOnly>): string {
  const seconds = (ms: number | null) => (ms === null ? '–' : `${(ms / 1000).toFixed(1)} s`);
  return [
    `${shown.view} ${shown.key}`,
    `state    ${shown.state}`,
    `version  ${shown.version ?? '–'}`,
    `age      ${seconds(shown.ageMs)}`,
    `ttl      ${seconds(shown.ttlMs)}`,
    `bytes    ${shown.bytes ?? 0}\n`,
  ].join('\n');
}
