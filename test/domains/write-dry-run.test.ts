// Dry runs: every mutation with all its checks, and nothing written anywhere.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Api, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { redisCli } from '../support/redis.js';
import { mutationCases, mutationsWith, type Payload, prepared, run } from './mutation-cases.js';

let api: Api;
const redis = redisCli(inject('redisUrl'));
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => {
  redis.disconnect();
  await api.close();
});

/** What gateways write of themselves, whether or not anybody asks. */
const OF_GATEWAYS = ['gateway', 'entry_partition', 'audit_seals'];

/** A digest of all rows of each table. */
async function tables(): Promise<Record<string, string>> {
  const { psql } = api.database;
  const named = await psql`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`;
  const digests: Record<string, string> = {};
  for (const { name } of named) {
    if (OF_GATEWAYS.includes(name)) continue;
    const [row] = await psql`
      SELECT count(*) || ':' || md5(coalesce(string_agg(t::text, E'\n' ORDER BY t::text), '')) AS digest FROM ${psql(name)} AS t`;
    digests[name] = row?.digest;
  }
  return digests;
}

/** Everything that Redis holds of this database, but for the relay's cursors. */
async function stored(): Promise<Record<string, string>> {
  const names = (await redis.keys(`{${api.database.installation}.*`)).filter((name) => !name.endsWith('}m')).sort();
  const contents: Record<string, string> = {};
  for (const name of names) contents[name] = (await redis.dumpBuffer(name))?.toString('base64') ?? '';
  return contents;
}

/** Versions and moments are of a transaction that was rolled back, and random ids are drawn anew. */
const lasting = (payload: Payload): Payload =>
  JSON.parse(
    JSON.stringify(payload, (name, value) =>
      [
        'version',
        'asOf',
        'updatedAt',
        'createdAt',
        'validUntil',
        'receipt',
        'secret',
        'id',
        'prefix',
        'expiresAt',
        'rotationDue',
        'replacedBy',
        'cursor',
        'startCursor',
        'endCursor',
      ].includes(name)
        ? undefined
        : value,
    ),
  );

describe('a dry run writes nothing to either store, and shows what the mutation then does', () => {
  it.each(mutationsWith(true))('%s', async (name) => {
    const one = mutationCases(`t-${randomUUID()}`)[name];
    if (!one) throw new Error(`${name} has no case in mutation-cases.ts.`);
    const step = await prepared(api, name, one);
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    const rehearse = () => run(api, step, { dryRun: true, idempotencyKey: `dry ${name}`, reason: 'rehearsal' });
    const before = await tables();
    // What its payload shows beside is read through the cache, which may fill; a value of its own would differ each time.
    const shown = await eventually(async () => {
      const standing = JSON.stringify(await stored());
      const answer = await rehearse();
      return JSON.stringify(await stored()) === standing && answer;
    });
    expect(await tables()).toEqual(before);
    expect(shown.receipt).toMatchObject({ changeId: null, visible: false, dryRun: true });
    if ('secret' in shown) expect(shown.secret).toBeNull();
    const done = await run(api, step, { idempotencyKey: `dry ${name}`, reason: 'rehearsal' });
    expect(lasting(shown)).toEqual(lasting(done));
    expect(done.receipt).toMatchObject({ dryRun: false, visible: true });
    if (shown.receipt.version !== null)
      expect(BigInt(shown.receipt.version)).toBeLessThan(BigInt(done.receipt.version));
  });
});

it('is refused where the mutation would be', async () => {
  const tag = `t-${randomUUID()}`;
  const put = (limit: number, options: object) =>
    run(api, ['putParameter', { name: tag, parameter: { limit } }], { dryRun: true, ...options });
  expect(await run(api, ['renameMenuItem', { key: tag, item: 'x', label: 'l' }], { dryRun: true })).toMatchObject({
    __typename: 'NotFoundError',
  });
  const { receipt } = await run(api, ['putParameter', { name: tag, parameter: 1 }], { idempotencyKey: tag });
  expect(await put(2, { expectedVersion: '1' })).toMatchObject({
    __typename: 'ConflictError',
    path: ['options', 'expectedVersion'],
    currentVersion: receipt.version,
  });
  expect(await put(2, { idempotencyKey: tag })).toMatchObject({ __typename: 'IdempotencyError' });
  expect(await put(2, { expectedVersion: receipt.version })).toMatchObject({
    receipt: { version: receipt.version, dryRun: true },
    securityValue: { parameter: { limit: 2 } },
  });
});

it('leaves nothing for what the same request asks after it', async () => {
  const tag = `t-${randomUUID()}`;
  await run(api, ['putSecret', { name: tag, value: 'the first' }]);
  const { data } = await api.ask(
    `mutation ($name: String!) {
      putSecret(name: $name, value: "the second", options: { dryRun: true }) {
        ... on PutSecretPayload { securityValue { currentVersion } } }
      revealSecret(name: $name, reason: "test") { ... on RevealSecretPayload { version value } }
    }`,
    { scopes: ['security:write', 'security:read', 'security:reveal'] },
    { name: tag },
  );
  expect(data.putSecret).toEqual({ securityValue: { currentVersion: 2 } });
  expect(data.revealSecret).toEqual({ version: 1, value: 'the first' });
});
