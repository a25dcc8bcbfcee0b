// Idempotency keys: a mutation that is sent twice happens once, and answers twice alike.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../support/api.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { startRedisServer } from '../support/redis.js';
import { openWire, type Wire } from '../support/wire.js';
import { mutationCases, mutationsWith, type Payload, PLANTED, prepared, run } from './mutation-cases.js';

let database: TestDatabase;
let wire: Wire;
let api: Api;
beforeAll(async () => {
  database = await createDatabase();
  wire = await openWire(database.url);
  api = await startApi({ database: { ...database, url: wire.url } });
});
afterAll(async () => {
  await api.close();
  await wire.close();
  await database.close();
});

const newTag = () => `t-${randomUUID()}`;
const changes = async () => Number((await database.psql`SELECT count(*) FROM changes`)[0]?.count);
const keys = async () => Number((await database.psql`SELECT count(*) FROM idempotency_keys`)[0]?.count);

/** A first result as a replay must give it. */
const withoutSecret = (payload: Payload): Payload => ('secret' in payload ? { ...payload, secret: null } : payload);

it('all mutations but three take options, and so idempotency keys', () => {
  expect(mutationsWith(false).sort()).toEqual(['purgeCache', 'refreshCache', 'revealSecret']);
});

describe('the same key with the same input gives the first result, whatever has happened since, and never a secret', () => {
  it.each(mutationsWith(true))('%s', async (name) => {
    const one = mutationCases(newTag())[name];
    if (!one) throw new Error(`${name} has no case in mutation-cases.ts.`);
    const step = await prepared(api, name, one);
    const options = { idempotencyKey: randomUUID(), reason: 'first' };
    const first = await run(api, step, options);
    expect(first).toMatchObject({ receipt: { visible: true, dryRun: false, changeId: expect.any(String) } });
    if (one.after) expect((await run(api, one.after(first))).receipt.visible).toBe(true);
    const before = [await changes(), await keys()];
    expect(await run(api, step, options)).toEqual(withoutSecret(first));
    expect(await run(api, step, { ...options, reason: 'other' })).toMatchObject({
      __typename: 'IdempotencyError',
      code: 'IDEMPOTENCY',
      path: ['options', 'idempotencyKey'],
    });
    expect([await changes(), await keys()]).toEqual(before);
  });
});

it('nothing of a secret is kept with a key: no value, no envelope, no input, nor the key itself', async () => {
  await run(api, ['putSecret', { name: newTag(), value: `${PLANTED}-kept` }], { idempotencyKey: randomUUID() });
  const { secret } = await run(api, ['issueToken', { input: { name: 'n', subject: 's', scopes: ['cache:read'] } }], {
    idempotencyKey: 'known to the client',
  });
  const rows = await database.psql`SELECT row_to_json(k)::text AS row FROM idempotency_keys AS k`;
  const text = rows.map(({ row }) => row).join('\n');
  const forbidden = [PLANTED, secret, 'known to the client'].flatMap((plain) => [
    plain,
    Buffer.from(plain)
      .toString('base64')
      .replace(/.{0,4}$/, ''),
    Buffer.from(plain).toString('hex'),
  ]);
  expect(forbidden.filter((each) => text.includes(each))).toEqual([]);
  const hidden = await database.psql`
    SELECT encode(ciphertext, 'base64') AS text FROM secret_versions WHERE ciphertext IS NOT NULL
    UNION ALL SELECT encode(wrapped_key, 'base64') FROM secret_versions WHERE wrapped_key IS NOT NULL`;
  expect(hidden.length).toBeGreaterThan(1);
  expect(hidden.filter((row) => text.includes(row.text.slice(0, 40)))).toEqual([]);
});

const parameter = (name: string, limit: number) => ['putParameter', { name, parameter: { limit } }] as const;

it('is its caller’s own, and its mutation’s own', async () => {
  const [tag, idempotencyKey] = [newTag(), randomUUID()];
  const first = await run(api, parameter(tag, 1), { idempotencyKey });
  const other = await run(api, parameter(tag, 2), { idempotencyKey }, 'somebody else');
  expect(other.receipt.changeId).not.toBe(first.receipt.changeId);
  expect(await run(api, ['saveEnvironment', { key: 'e', public: true }], { idempotencyKey })).toHaveProperty('receipt');
  expect(await run(api, parameter(tag, 1), { idempotencyKey })).toEqual(first);
});

it('takes the same input for the same, however its JSON is ordered, and other JSON for other', async () => {
  const [name, idempotencyKey] = [newTag(), randomUUID()];
  const first = await run(api, ['putParameter', { name, parameter: { a: 1, b: { c: [2], d: null } } }], {
    idempotencyKey,
  });
  const reordered = { b: { d: null, c: [2] }, a: 1 };
  expect(await run(api, ['putParameter', { name, parameter: reordered }], { idempotencyKey })).toEqual(first);
  for (const parameter of [
    { a: '1', b: { c: [2], d: null } },
    { a: 1, b: { c: [2] } },
    { a: 1, b: { c: 2, d: null } },
  ]) {
    expect(await run(api, ['putParameter', { name, parameter }], { idempotencyKey })).toMatchObject({
      __typename: 'IdempotencyError',
    });
  }
});

it('is left unused by a mutation that is refused', async () => {
  const [tag, idempotencyKey] = [newTag(), randomUUID()];
  const options = { idempotencyKey, expectedVersion: '1' };
  const refused = await run(api, ['renameMenuItem', { key: tag, item: 'x', label: 'l' }], { idempotencyKey });
  expect(refused).toMatchObject({ __typename: 'NotFoundError' });
  await run(api, parameter(tag, 1));
  expect(await run(api, parameter(tag, 2), options)).toMatchObject({ __typename: 'ConflictError' });
  expect(await run(api, parameter(tag, 3), { idempotencyKey })).toMatchObject({
    securityValue: { parameter: { limit: 3 } },
  });
});

it('sent many times at once writes once, and everybody gets that one result or is told to try again', async () => {
  const [tag, idempotencyKey] = [newTag(), randomUUID()];
  const before = await changes();
  const attempts = await Promise.allSettled(
    Array.from({ length: 12 }, () => run(api, parameter(tag, 1), { idempotencyKey })),
  );
  expect(await changes()).toBe(before + 1);
  const answer = await run(api, parameter(tag, 1), { idempotencyKey });
  for (const attempt of attempts) {
    if (attempt.status === 'fulfilled') expect(attempt.value).toEqual(answer);
    else expect(attempt.reason.message).toContain('try again');
  }
  expect(attempts.some(({ status }) => status === 'fulfilled')).toBe(true);
});

it('holds on every gateway: of two that are sent the same at once, one writes', async () => {
  const other = await startApi({ database });
  try {
    for (let round = 0; round < 5; round++) {
      const [tag, idempotencyKey] = [newTag(), randomUUID()];
      const insist = (at: Api) =>
        eventually(() => run(at, parameter(tag, 1), { idempotencyKey }).catch(() => undefined));
      const [one, two] = await Promise.all([insist(api), insist(other)]);
      expect(two).toEqual(one);
      expect((await database.psql`SELECT FROM changes WHERE key = ${tag}`).length).toBe(1);
    }
  } finally {
    await other.close();
  }
});

it('holds when the answer to COMMIT is lost: the mutation counts as done, and its replay says the same', async () => {
  const [tag, idempotencyKey] = [newTag(), randomUUID()];
  wire.loseNextCommit();
  const first = await run(api, parameter(tag, 1), { idempotencyKey });
  expect(first.receipt.visible).toBe(true);
  expect(await run(api, parameter(tag, 1), { idempotencyKey })).toEqual(first);
});

it('holds for 24 hours; then it is new, and the old answer is deleted by and by', async () => {
  const [tag, idempotencyKey] = [newTag(), randomUUID()];
  const first = await run(api, parameter(tag, 1), { idempotencyKey });
  await database.psql`UPDATE idempotency_keys SET created_at = created_at - interval '23 hours 50 minutes'`;
  expect(await run(api, parameter(tag, 1), { idempotencyKey })).toEqual(first);
  await database.psql`UPDATE idempotency_keys SET created_at = created_at - interval '11 minutes'`;
  const second = await run(api, parameter(tag, 2), { idempotencyKey });
  expect(second).toMatchObject({ securityValue: { parameter: { limit: 2 } } });
  expect(await run(api, parameter(tag, 2), { idempotencyKey })).toEqual(second);
  expect(await keys()).toBeGreaterThan(1);
  const { forgetExpiredKeys } = await import('../../src/resolvers/idempotency-expiry.js');
  const forgetting = forgetExpiredKeys(api.gateway.services.query, 5);
  await eventually(async () => (await keys()) === 1);
  await forgetting.stop();
  expect(await run(api, parameter(tag, 2), { idempotencyKey })).toEqual(second);
});

it.each(['', '  ', 'x'.repeat(256)])('is refused where it says nothing or too much: %j', async (idempotencyKey) => {
  expect(await run(api, parameter(newTag(), 1), { idempotencyKey })).toMatchObject({
    __typename: 'ValidationError',
    path: ['options', 'idempotencyKey'],
  });
});

it('costs a mutation without one no statement', async () => {
  const statements: string[] = [];
  const { db } = api.gateway.services;
  const watched = Object.assign(Object.create(db), {
    transaction: (body: (tx: object) => Promise<unknown>) =>
      db.transaction((tx) =>
        body(
          new Proxy(tx, {
            get: (target, name) => {
              if (name === 'execute' || name === 'insert') statements.push(String(name));
              const member = Reflect.get(target, name);
              return typeof member === 'function' ? member.bind(target) : member;
            },
          }),
        ),
      ),
  });
  const count = async (idempotencyKey: string | null) => {
    statements.length = 0;
    await api.ask(
      `mutation ($options: WriteOptions) { putParameter(name: "counted", parameter: 1, options: $options) { __typename } }`,
      { scopes: ['security:write'], services: { db: watched } },
      { options: { idempotencyKey } },
    );
    return statements.length;
  };
  await count(null);
  const without = await count(null);
  expect(await count(randomUUID())).toBe(without + 2);
});

it('holds while Redis is down, and its replay is visible once everybody can see the write', async () => {
  const redis = await startRedisServer();
  const own = await createDatabase();
  const other = await startApi({ database: own, redisUrl: redis.url });
  try {
    const [tag, idempotencyKey] = [newTag(), randomUUID()];
    await run(other, parameter(tag, 1));
    await redis.kill();
    const first = await eventually(() => run(other, parameter(tag, 2), { idempotencyKey }).catch(() => undefined));
    expect(first.securityValue.parameter).toEqual({ limit: 2 });
    const replay = await run(other, parameter(tag, 2), { idempotencyKey });
    expect({ ...replay, receipt: { ...replay.receipt, visible: true } }).toEqual({
      ...first,
      receipt: { ...first.receipt, visible: true },
    });
    await redis.restart('empty');
    await eventually(() => other.gateway.services.cache.status().trusted);
    await eventually(async () => (await run(other, parameter(tag, 2), { idempotencyKey })).receipt.visible);
    expect(Number((await own.psql`SELECT count(*) FROM changes WHERE key = ${tag}`)[0]?.count)).toBe(2);
  } finally {
    await other.close();
    await own.close();
    await redis.close();
  }
});
