// The search for secrets where none may be: the forms in which one would show, and dumps of all that is stored.
import { connect } from 'node:net';
import type { Redis } from 'ioredis';
import type postgres from 'postgres';

/** A text and the name of the place that it was found in. */
export interface Dump {
  readonly place: string;
  readonly text: string;
}

/** Every form in which `secret` shows when it is stored or told: as it is, escaped, in base64 at any alignment, in hex. */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].flatMap((offset) =>
    (['base64', 'base64url'] as const).map((encoding) => alignedBase64(bytes, offset, encoding)),
  );
  const plain = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), ...base64];
  const hex = plain.map((form) => Buffer.from(form).toString('hex'));
  return [...new Set([...plain, ...hex, ...hex.map((form) => form.toUpperCase())])];
}

/** What base64 has of `bytes` whatever stands before and behind them, when `offset` bytes stand before. */
function alignedBase64(bytes: Buffer, offset: number, encoding: 'base64' | 'base64url'): string {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes]);
  const usable = whole.subarray(0, whole.length - (whole.length % 3));
  return usable.toString(encoding).slice(Math.ceil((offset * 8) / 6));
}

/** Where any of `secrets`, or a long piece of one, is found in any form. */
export function placesOf(secrets: Readonly<Record<string, string>>, dumps: readonly Dump[]): readonly string[] {
  return Object.entries(secrets).flatMap(([name, secret]) => {
    const forms = piecesOf(secret).flatMap(formsOf);
    return dumps
      .filter(({ text }) => forms.some((form) => text.includes(form)))
      .map(({ place }) => `${name}: ${place}`);
  });
}

/** The secret and pieces of 20 characters of it, for what was cut off. */
function piecesOf(secret: string): readonly string[] {
  if (secret.length <= 24) return [secret];
  return [secret, secret.slice(0, 20), secret.slice(-20), secret.slice((secret.length - 20) / 2).slice(0, 20)];
}

/** Every key of Redis with all that it holds, whatever its type, and its serialised form. */
export async function dumpOfRedis(redis: Redis): Promise<Dump[]> {
  const keys = await redis.keys('*');
  const dumps = keys.map(async (key) => {
    const type = await redis.type(key);
    const held = await (READERS[type] ?? unknownType)(redis, key);
    const serialised = (await redis.dumpBuffer(key))?.toString('latin1') ?? '';
    return { place: `redis ${type} ${key}`, text: `${key}\n${held.join('\n')}\n${serialised}` };
  });
  return Promise.all(dumps);
}

const READERS: Readonly<Record<string, (redis: Redis, key: string) => Promise<readonly string[]>>> = {
  string: async (redis, key) => [(await redis.get(key)) ?? ''],
  hash: async (redis, key) => Object.entries(await redis.hgetall(key)).flat(),
  list: (redis, key) => redis.lrange(key, 0, -1),
  set: (redis, key) => redis.smembers(key),
  zset: (redis, key) => redis.zrange(key, '0', '-1'),
  stream: async (redis, key) => (await redis.xrange(key, '-', '+')).flat(2),
  none: async () => [],
};

function unknownType(): never {
  throw new Error('This dump would leave out a type of Redis that it does not know.');
}

/** Every table of Postgres as COPY writes it, and what sessions ran last. */
export async function dumpOfPostgres(psql: postgres.Sql): Promise<Dump[]> {
  const tables = await psql<{ name: string }[]>`SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`;
  const dumps: Dump[] = [];
  for (const { name } of tables) {
    const chunks: Buffer[] = [];
    for await (const chunk of await psql.unsafe(`COPY ${name} TO STDOUT`).readable()) chunks.push(Buffer.from(chunk));
    dumps.push({ place: `postgres ${name}`, text: Buffer.concat(chunks).toString('utf8') });
  }
  const sessions = await psql`SELECT query FROM pg_stat_activity`;
  return [...dumps, { place: 'postgres sessions', text: sessions.map(({ query }) => query).join('\n') }];
}

export interface Watched {
  /** Every command that Redis was sent so far, scripts' own calls too. */
  readonly text: () => string;
  readonly close: () => void;
}

/** Listens to all that the Redis on this port is sent. */
export async function watchRedis(port: number): Promise<Watched> {
  const chunks: Buffer[] = [];
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      resolve();
    });
    socket.write('MONITOR\r\n');
  });
  return { text: () => Buffer.concat(chunks).toString('latin1'), close: () => socket.destroy() };
}
