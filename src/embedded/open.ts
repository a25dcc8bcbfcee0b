// Opens the private servers of a development start: one set per home, found again with its data at the next start, and
// gone, down to the last process, once closed.

import { resolve } from 'node:path';
import { findBinaries } from './binaries.js';
import { ServerFailed } from './errors.js';
import { findPlace, makeHome, type Place } from './home.js';
import { lockHome } from './lock.js';
import { type PostgresServer, startPostgres } from './postgres.js';
import { findRedis, type RedisServer, startRedis } from './redis.js';
import { removeRun, writeRun } from './run.js';

export type Embedded = {
  readonly databaseUrl: string;
  readonly redis: EmbeddedRedis;
  /** For the start banner. */
  readonly where: Where;
  /** Lets commands on this machine find the gateway at `gatewayUrl`, and the secret that it accepts from them. */
  readonly announce: (gatewayUrl: string, control: string) => Promise<void>;
  /** Stops the servers in good order and gives the home free; may be called twice. */
  readonly close: () => Promise<void>;
};

export type EmbeddedRedis =
  | { readonly kind: 'running'; readonly url: string; readonly program: string }
  /** `reason` is the end of a sentence: "no private Redis: …". */
  | { readonly kind: 'absent'; readonly reason: string };

export type Where = {
  readonly home: string;
  readonly data: string;
  readonly postgresPrograms: string;
  readonly postgresVersion: string;
  /** Whom the servers run as, when that is not ourselves. */
  readonly user: string | undefined;
};

/**
 * Starts the servers of `home`, and with `redis` also a private Redis where this machine has one.
 * @throws {HomeInUse} while another process runs them; see attachEmbedded.
 * @throws {EmbeddedUnavailable | HomeUnusable | ServerFailed} with what to do; nothing runs on then.
 */
export async function openEmbedded(home: string, options: { readonly redis: boolean }): Promise<Embedded> {
  const folder = resolve(home);
  await makeHome(folder);
  const lock = await lockHome(folder);
  try {
    const place = await findPlace(folder);
    const binaries = await findBinaries(place);
    const { postgres, redis } = await startBoth(
      () => startPostgres(place, binaries),
      () => (options.redis ? tryRedis(place) : Promise.resolve({ kind: 'absent', reason: 'it was not asked for' })),
    );
    const databaseUrl = postgres.url;
    const redisUrl = redis.kind === 'running' ? redis.url : undefined;
    const tell = (gatewayUrl: string | undefined, control: string | undefined) =>
      writeRun(folder, { pid: process.pid, databaseUrl, redisUrl, gatewayUrl, control });
    await tell(undefined, undefined);
    return {
      databaseUrl,
      redis: redis.kind === 'running' ? { kind: 'running', url: redis.url, program: redis.program } : redis,
      where: {
        home: folder,
        data: place.folder,
        postgresPrograms: binaries.folder,
        postgresVersion: binaries.version,
        user: place.user?.name,
      },
      announce: tell,
      close: once(async () => {
        await removeRun(folder);
        await Promise.all([postgres.stop(), redis.kind === 'running' ? redis.stop() : undefined]);
        await lock.release();
      }),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

type TriedRedis = ({ readonly kind: 'running' } & RedisServer) | { readonly kind: 'absent'; readonly reason: string };

// Without a Redis a development start still works, on the in-process store: the banner says why.
async function tryRedis(place: Place): Promise<TriedRedis> {
  const found = findRedis(process.env.PATH ?? '', place.user);
  if (found.kind === 'none') return { kind: 'absent', reason: found.reason };
  try {
    return { kind: 'running', ...(await startRedis(place, found)) };
  } catch (error) {
    if (!(error instanceof ServerFailed)) throw error;
    return { kind: 'absent', reason: `${found.program} did not start: ${error.lastLines.at(-1) ?? error.message}` };
  }
}

async function startBoth(
  startOne: () => Promise<PostgresServer>,
  startOther: () => Promise<TriedRedis>,
): Promise<{ postgres: PostgresServer; redis: TriedRedis }> {
  const [postgres, redis] = await Promise.allSettled([startOne(), startOther()]);
  if (postgres.status === 'fulfilled' && redis.status === 'fulfilled') {
    return { postgres: postgres.value, redis: redis.value };
  }
  if (postgres.status === 'fulfilled') await postgres.value.stop();
  if (redis.status === 'fulfilled' && redis.value.kind === 'running') await redis.value.stop();
  throw postgres.status === 'rejected' ? postgres.reason : redis.status === 'rejected' ? redis.reason : undefined;
}

function once(act: () => Promise<void>): () => Promise<void> {
  let acting: Promise<void> | undefined;
  return () => {
    acting ??= act();
    return acting;
  };
}
