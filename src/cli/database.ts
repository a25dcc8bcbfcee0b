// Which database a command works on: the one of DATABASE_URL, else that of the embedded start whose gateway runs on this
// home, else the embedded one itself, started for the length of the command and stopped again whatever happens.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, readConfig } from '../config.js';
import { auditSigner, type Connection, connect, gatewaysAreAlive, migrate, waitForBarrier } from '../db/index.js';
import { attachEmbedded, HomeInUse, loadOrCreateSecret, openEmbedded } from '../embedded/index.js';
import { views } from '../resolvers/index.js';
import { Interrupted, UsageError } from './failure.js';

/** The import's largest statements take a second; the barrier below takes up to thirty. */
const STATEMENT_TIMEOUT_MS = 60_000;
const BARRIER_MS = 30_000;
/** Another command may hold the home, or a gateway may be starting on it. */
const HOME_WAIT_MS = 60_000;

/** Everything is committed, but the gateways may still show what was before. */
export class NotYetVisible extends Error {
  override readonly name = 'NotYetVisible';
  readonly code = 'NOT_YET_VISIBLE';
}

/** The configuration, without what only a gateway needs. */
export function commandConfig(env: NodeJS.ProcessEnv): Config {
  const { NODE_ENV: _, ...rest } = env;
  return readConfig(
    rest,
    views.map(({ name }) => name),
  );
}

/** Calls `act` with a connection to the database, migrated; lets go of it afterwards. */
export async function withDatabase<Result>(
  env: NodeJS.ProcessEnv,
  act: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const signer = auditSigner((await auditSecrets(env)).key);
  return withMigrated(env, async (url) => {
    const connection = connect({ url, maxReads: 1, maxWrites: 2, statementTimeoutMs: STATEMENT_TIMEOUT_MS, signer });
    try {
      return await act(connection);
    } finally {
      await connection.close();
    }
  });
}

/**
 * What the keys of the audit log are drawn from: the same as the gateways' where the environment or the home is theirs.
 * @throws {UsageError} in production without either setting: what is signed with a key of its own counts as forged.
 */
export async function auditSecrets(env: NodeJS.ProcessEnv) {
  const { auditKey, oldAuditKey, tokenPepper, databaseUrl, home } = commandConfig(env);
  const key = auditKey ?? tokenPepper;
  if (key === undefined && env.NODE_ENV === 'production' && databaseUrl !== undefined) {
    throw new UsageError(
      'ESPELHO_TOKEN_PEPPER, or ESPELHO_AUDIT_KEY where the gateways have one, must be set as for the gateways: it signs the audit log.',
    );
  }
  return { key: key ?? (await loadOrCreateSecret(home, 'token-pepper')), oldKey: oldAuditKey };
}

/** Calls `act` with the URL of the database, migrated. The partition count is fixed only where the environment sets it. */
export async function withMigrated<Result>(
  env: NodeJS.ProcessEnv,
  act: (url: string) => Promise<Result>,
): Promise<Result> {
  const config = commandConfig(env);
  const migrated = async (url: string) => {
    await migrate(url, config.partitions);
    return act(url);
  };
  return config.databaseUrl === undefined ? withEmbedded(config.home, migrated) : migrated(config.databaseUrl);
}

/**
 * Resolves once every gateway's next read shows what was committed so far; at once when no gateway is alive.
 * @throws {NotYetVisible} when they do not catch up in time.
 */
export async function awaitVisible({ db, query }: Connection): Promise<void> {
  const isAnyAlive = () => gatewaysAreAlive(query);
  if (!(await isAnyAlive()) || (await waitForBarrier(db, BARRIER_MS)) || !(await isAnyAlive())) return;
  throw new NotYetVisible(
    'Everything is written, but the gateways did not catch up in time and may show what was before; check their Redis.',
  );
}

async function withEmbedded<Result>(home: string, act: (url: string) => Promise<Result>): Promise<Result> {
  const deadlineMs = performance.now() + HOME_WAIT_MS;
  for (;;) {
    // Without a gateway, the servers of a run may be another command's, which stops them when it is done.
    const running = await attachEmbedded(home);
    if (running?.gatewayUrl !== undefined) return act(running.databaseUrl);
    try {
      return await withOwnServers(home, act);
    } catch (error) {
      if (!(error instanceof HomeInUse) || performance.now() > deadlineMs) throw error;
    }
    await sleep(200);
  }
}

async function withOwnServers<Result>(home: string, act: (url: string) => Promise<Result>): Promise<Result> {
  const servers = await openEmbedded(home, { redis: false });
  const interruption = listenForInterruption();
  const acting = act(servers.databaseUrl);
  acting.catch(() => {}); // when interrupted, it fails as its server goes away
  try {
    return await Promise.race([acting, interruption.happens]);
  } finally {
    await servers.close();
    interruption.ignore();
  }
}

function listenForInterruption() {
  let interrupt = () => {};
  const happens = new Promise<never>((_, reject) => {
    interrupt = () => reject(new Interrupted('Interrupted; whatever was committed stays.'));
  });
  happens.catch(() => {});
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  return {
    happens,
    ignore: () => {
      for (const signal of signals) process.off(signal, interrupt);
    },
  };
}
