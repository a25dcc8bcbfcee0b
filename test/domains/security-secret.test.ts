// What secrets promise, asked through GraphQL: they come out for who may have them and says why, and are nowhere else.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { masterKeyOf, unseal } from '../../src/resolvers/envelope.js';
import { parseGlobalId } from '../../src/resolvers/index.js';
import { type Api, type Caller, MASTER_KEY, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { redisCli } from '../support/redis.js';

const officer = { subject: 'officer', scopes: ['security:read', 'security:write', 'security:reveal'] };

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const PUT = `mutation ($name: String!, $value: String!, $rotateEveryDays: Int, $options: WriteOptions) {
  putSecret(name: $name, value: $value, rotateEveryDays: $rotateEveryDays, options: $options) {
    __typename
    ... on PutSecretPayload { receipt { version visible changeId } securityValue {
      name kind parameter memberCount currentVersion rotateEveryDays rotationDue version
      versions { number state createdAt createdBy validUntil } } }
    ... on UserError { code message path }
    ... on ConflictError { currentVersion }
  }
}`;

const put = async (name: string, value: string, rest: object = {}, gateway = api) => {
  const { data, errors } = await gateway.ask(PUT, officer, { name, value, ...rest });
  expect(errors).toEqual([]);
  return data.putSecret;
};

const REVEAL = `mutation ($name: String!, $version: Int, $reason: String!) {
  revealSecret(name: $name, version: $version, reason: $reason) {
    __typename
    ... on RevealSecretPayload { value version changeId }
    ... on UserError { code message path }
    ... on ForbiddenError { requiredScope }
  }
}`;

const ask = (name: string, rest: object = {}, caller: Caller = officer, gateway = api) =>
  gateway.ask(REVEAL, caller, { name, reason: 'testing', ...rest });

const reveal = async (name: string, rest: object = {}, gateway = api) =>
  (await ask(name, rest, officer, gateway)).data.revealSecret;

const audited = async (name: string) =>
  api.database.psql`SELECT id, actor, action, reason, before, after FROM changes WHERE key = ${name} ORDER BY sequence`;

describe('a secret', () => {
  it('comes out as it went in, in numbered versions of which one is current', async () => {
    const first = await put('versions', 'one');
    expect(first.receipt.visible).toBe(true);
    expect(first.securityValue).toMatchObject({
      kind: 'SECRET',
      currentVersion: 1,
      parameter: null,
      memberCount: null,
    });
    const second = await put('versions', 'twö 💥\n');
    expect(second.securityValue).toMatchObject({ currentVersion: 2, version: second.receipt.version });
    expect(second.securityValue.versions).toMatchObject([
      { number: 2, state: 'CURRENT', createdBy: 'officer', validUntil: null },
      { number: 1, state: 'PREVIOUS', createdBy: 'officer', validUntil: null },
    ]);
    expect(await reveal('versions')).toMatchObject({ value: 'twö 💥\n', version: 2 });
    expect(await reveal('versions', { version: 2 })).toMatchObject({ value: 'twö 💥\n', version: 2 });
    expect(await reveal('versions', { version: 1 })).toMatchObject({ value: 'one', version: 1 });
  });

  it('comes out of every version that is kept, also of those that the cache does not hold', async () => {
    for (let number = 1; number <= 5; number++) await put('many', `value ${number}`);
    for (let number = 1; number <= 5; number++) {
      expect(await reveal('many', { version: number })).toMatchObject({ value: `value ${number}`, version: number });
    }
    const { data } = await api.ask(`{ securityValue(name: "many") { versions { number state } } }`, officer);
    expect(data.securityValue.versions.map(({ state }: { state: string }) => state)).toEqual([
      'CURRENT',
      ...Array.from({ length: 4 }, () => 'PREVIOUS'),
    ]);
  });

  it('that was replaced comes out new on every gateway', async () => {
    const other = await startApi({ database: api.database });
    try {
      await put('shared', 'old');
      expect((await reveal('shared', {}, other)).value).toBe('old');
      await put('shared', 'new');
      expect((await reveal('shared', {}, other)).value).toBe('new');
    } finally {
      await other.close();
    }
  });

  it('gets its versions one after the other, however many write at once', async () => {
    const values = Array.from({ length: 8 }, (_, at) => `racer ${at}`);
    const written = await Promise.all(values.map((value) => put('race', value)));
    const numbers = written.map(({ securityValue }) => securityValue.versions.length).sort();
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const revealed = await Promise.all(values.map((_, at) => reveal('race', { version: at + 1 })));
    expect(revealed.map(({ value }) => value).sort()).toEqual(values);
    const current = await api.database
      .psql`SELECT number FROM secret_versions WHERE name = 'race' AND state = 'CURRENT'`;
    expect(current).toEqual([{ number: 8 }]);
  });

  it('says when its rotation is due', async () => {
    const { securityValue } = await put('rotating', 'x', { rotateEveryDays: 30 });
    const [current] = securityValue.versions;
    expect(Date.parse(securityValue.rotationDue) - Date.parse(current.createdAt)).toBe(30 * 86_400_000);
    expect((await put('rotating', 'y')).securityValue.rotateEveryDays).toBe(30);
    expect((await put('rotating', 'z', { rotateEveryDays: 0 })).securityValue).toMatchObject({
      rotateEveryDays: null,
      rotationDue: null,
    });
  });

  it.each([
    ['an empty value', { value: '' }, ['value']],
    ['a value above 64 KiB', { value: 'é'.repeat(32_769) }, ['value']],
    ['half of a character', { value: 'planted\ud83d' }, ['value']],
    ['a rotation of -1 days', { rotateEveryDays: -1 }, ['rotateEveryDays']],
    ['a rotation of 3,651 days', { rotateEveryDays: 3_651 }, ['rotateEveryDays']],
    ['a name that may be a misplaced value', { name: 'planted secret!' }, ['name']],
  ])('refuses %s without repeating it', async (_, variables, path) => {
    const refused = await put('refusing', 'planted', variables);
    expect(refused).toMatchObject({ __typename: 'ValidationError', path });
    expect(refused.message).not.toContain('planted');
    expect((await ask('refusing')).data.revealSecret).toMatchObject({ __typename: 'NotFoundError', path: ['name'] });
  });

  it('takes 64 KiB', async () => {
    const value = 'é'.repeat(32_768);
    await put('long', value);
    expect((await reveal('long')).value).toBe(value);
  });

  it('keeps its kind, as every name does', async () => {
    await put('kind', 'x');
    const answer = await api.ask(
      `mutation { parameter: putParameter(name: "kind", parameter: 1) { ... on UserError { __typename path message } }
        list: changeSecurityList(name: "kind", add: ["a"]) { ... on UserError { __typename path message } } }`,
      officer,
    );
    const refused = {
      __typename: 'ValidationError',
      path: ['name'],
      message: expect.stringContaining('kind is a SECRET'),
    };
    expect(answer.data).toEqual({ parameter: refused, list: refused });
    await api.ask(`mutation { changeSecurityList(name: "kind-list", add: ["a"]) { __typename } }`, officer);
    expect((await put('kind-list', 'x')).message).toContain('is a LIST');
  });

  it('of one name and of two kinds at once becomes one of them', async () => {
    const [secret, parameter, list] = await Promise.all([
      put('torn', 'x'),
      api.ask(`mutation { putParameter(name: "torn", parameter: 1) { __typename } }`, officer),
      api.ask(`mutation { changeSecurityList(name: "torn", add: ["a"]) { __typename } }`, officer),
    ]);
    const kinds = [secret, parameter.data.putParameter, list.data.changeSecurityList].map(
      ({ __typename }) => __typename,
    );
    expect(kinds.filter((kind) => kind === 'ValidationError')).toHaveLength(2);
    const { data } = await api.ask(`{ securityValue(name: "torn") { kind } }`, officer);
    expect(kinds.findIndex((kind) => kind !== 'ValidationError')).toBe(
      ['SECRET', 'PARAMETER', 'LIST'].indexOf(data.securityValue.kind),
    );
  });
});

describe('revealing', () => {
  it('is in the audit log with who and why, and without the value', async () => {
    await put('logged', 'planted value', { options: { reason: 'first of all' } });
    const { changeId } = await reveal('logged', { reason: 'incident 4711' });
    const rows = await audited('logged');
    expect(rows).toMatchObject([
      { action: 'putSecret', before: null, after: { version: 1, rotateEveryDays: null }, reason: 'first of all' },
      { actor: 'officer', action: 'revealSecret', reason: 'incident 4711', before: null, after: { version: 1 } },
    ]);
    expect(parseGlobalId(changeId)).toEqual({ type: 'Change', key: rows[1]?.id });
    expect(JSON.stringify(rows)).not.toContain('planted');
  });

  it('gives nothing out unless its audit row has been committed', async () => {
    await put('held', 'planted value');
    const { psql } = api.database;
    await psql`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$`;
    await psql`CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON changes DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW WHEN (NEW.key = 'held') EXECUTE FUNCTION refuse()`;
    const { data, errors } = await ask('held');
    expect(data).toBeNull();
    expect(JSON.stringify(errors)).not.toContain('planted');
    expect((await audited('held')).map(({ action }) => action)).toEqual(['putSecret']);
    await psql`DROP TRIGGER refuse ON changes`;
    expect((await reveal('held')).value).toBe('planted value');
  });

  it('waits for its audit row: while that is not committed, no answer comes', async () => {
    await put('waiting', 'x');
    let answered = false;
    await api.database.psql.begin(async (tx) => {
      await tx`LOCK TABLE changes IN EXCLUSIVE MODE`;
      const answer = reveal('waiting').then(() => {
        answered = true;
      });
      await untilWaiting(api);
      expect(answered).toBe(false);
      void answer;
    });
    await eventually(() => answered);
  });

  it('does not give out a version that is destroyed, though the cache may hold it', async () => {
    await put('destroyed', 'one');
    await put('destroyed', 'two');
    await reveal('destroyed');
    await api.database.psql`UPDATE secret_versions SET state = 'DESTROYED', ciphertext = NULL, wrapped_key = NULL
      WHERE name = 'destroyed' AND number = 1`;
    // Before the relay has told anybody.
    expect(await reveal('destroyed', { version: 1 })).toMatchObject({ __typename: 'NotFoundError', path: ['version'] });
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    expect(await reveal('destroyed', { version: 1 })).toMatchObject({ __typename: 'NotFoundError', path: ['version'] });
    const { data } = await api.ask(`{ securityValue(name: "destroyed") { versions { number state } } }`, officer);
    expect(data.securityValue.versions[1]).toEqual({ number: 1, state: 'DESTROYED' });
    expect((await audited('destroyed')).filter(({ action }) => action === 'revealSecret')).toHaveLength(1);
  });

  it.each([
    ['no reason', { reason: ' ' }, 'ValidationError', ['reason']],
    ['a reason of 1,001 characters', { reason: 'x'.repeat(1_001) }, 'ValidationError', ['reason']],
    ['a version that there is not', { version: 9 }, 'NotFoundError', ['version']],
    ['version 0', { version: 0 }, 'NotFoundError', ['version']],
    ['a name that there is not', { name: 'no-such-secret' }, 'NotFoundError', ['name']],
  ])('refuses %s', async (_, variables, __typename, path) => {
    await put('present', 'x');
    expect(await reveal('present', variables)).toMatchObject({ __typename, path });
  });

  it('needs security:reveal, and leaves no trace of the value where it is lacking', async () => {
    await put('guarded', 'planted value');
    const lacking = await ask('guarded', {}, { scopes: ['security:read', 'security:write'] });
    expect(lacking.data.revealSecret).toMatchObject({ __typename: 'ForbiddenError', requiredScope: 'security:reveal' });
    const nobody = await ask('guarded', {}, {});
    expect(nobody.errors[0]?.code).toBe('UNAUTHENTICATED');
    expect(await audited('guarded')).toHaveLength(1);
  });
});

describe('what is stored of a secret', () => {
  it('is the same ciphertext in Redis as in Postgres, of the current version and the one before it', async () => {
    for (const value of ['one', 'two', 'three']) await put('stored', value);
    const rows = await api.database
      .psql`SELECT number, ciphertext, wrapped_key FROM secret_versions WHERE name = 'stored' ORDER BY number DESC`;
    const redis = redisCli(inject('redisUrl'));
    await eventually(async () => {
      await api.ask(`{ securityValue(name: "stored") { name } }`, officer);
      return (await api.gateway.services.cache.inspect('secret', 'stored'))?.state === 'fresh';
    });
    const [key = ''] = await redis.keys(`{${api.database.installation}.*}e:secret:stored`);
    const { versions } = JSON.parse((await redis.hget(key, 'value@1')) ?? '');
    expect(await redis.pttl(key)).toBeLessThanOrEqual(300_000);
    redis.disconnect();
    expect(versions.map(({ ciphertext }: { ciphertext: string | null }) => ciphertext)).toEqual([
      rows[0]?.ciphertext.toString('base64'),
      rows[1]?.ciphertext.toString('base64'),
      null,
    ]);
    expect(versions[0].wrappedKey).toBe(rows[0]?.wrapped_key.toString('base64'));
    const envelope = { ciphertext: rows[0]?.ciphertext, wrappedKey: rows[0]?.wrapped_key };
    expect(unseal(masterKeyOf(MASTER_KEY), { name: 'stored', number: 3 }, envelope)).toBe('three');
  });

  it('opens under no other name, no other version and no other master key', async () => {
    await put('mine', 'planted mine');
    await put('other', 'planted other');
    await put('other', 'planted newer');
    const { psql } = api.database;
    await psql`UPDATE secret_versions SET (ciphertext, wrapped_key) =
      (SELECT ciphertext, wrapped_key FROM secret_versions WHERE name = 'mine') WHERE name = 'other' AND number = 1`;
    await psql`UPDATE secret_versions SET (ciphertext, wrapped_key) =
      (SELECT ciphertext, wrapped_key FROM secret_versions WHERE name = 'mine') WHERE name = 'other' AND number = 2`;
    await psql`SELECT cache_barrier('30 seconds')`;
    for (const version of [1, 2]) {
      const { data, errors } = await ask('other', { version });
      expect(data).toBeNull();
      expect(errors[0]?.code).toBeUndefined(); // ours, and masked at the edge
      expect(JSON.stringify(errors)).not.toContain('planted');
    }
    const foreign = await startApi({ database: api.database, masterKey: 'f'.repeat(64) });
    try {
      expect((await ask('mine', {}, officer, foreign)).errors[0]?.message).toContain('another master key');
      expect((await reveal('mine')).value).toBe('planted mine');
    } finally {
      await foreign.close();
    }
  });
});

describe('a planted secret', () => {
  const planted = 'PLANTED-7f3a9c-Zebra/Quagga';
  const forms = [
    planted,
    Buffer.from(planted).toString('base64').slice(0, 32),
    Buffer.from(planted).toString('hex'),
    'Quagga',
  ];

  it('is found nowhere in Redis and in no table of Postgres, and in no trace, event or refusal', async () => {
    await put('planted', planted, { rotateEveryDays: 10, options: { reason: 'planting' } });
    await put('planted', `${planted} 2`);
    await put('planted', `${planted} 3`, { options: { expectedVersion: '1' } });
    const revealed = await ask('planted', { reason: 'harvest' });
    expect(revealed.data.revealSecret.value).toBe(`${planted} 2`);
    const listed = await api.ask(
      `{ securityValues(prefix: "planted") { edges { node { name versions { number } } } } }`,
      officer,
    );
    const told = JSON.stringify([revealed.trace, listed, api.events]);
    const dumps = [told, await dumpOfRedis(), ...(await dumpOfPostgres(api))];
    expect(dumps.length).toBeGreaterThan(10);
    expect(dumps.join()).toContain('planting');
    for (const form of forms) {
      expect(dumps.filter((dump) => dump.includes(form)).map((dump) => dump.slice(0, 80))).toEqual([]);
    }
  });

  it('is found by this search when it is put where anybody may read it', async () => {
    await api.ask(
      `mutation ($value: JSON!) { putParameter(name: "careless", parameter: $value) { __typename } }`,
      officer,
      { value: planted },
    );
    await api.ask(`{ securityValue(name: "careless") { parameter } }`, officer);
    expect(await dumpOfRedis()).toContain(planted);
    expect((await dumpOfPostgres(api)).filter((dump) => dump.includes(planted)).length).toBeGreaterThan(1);
  });
});

/** Every key of Redis with all that it holds, as text and as bytes in hex. */
async function dumpOfRedis(): Promise<string> {
  const redis = redisCli(inject('redisUrl'));
  try {
    const keys = await redis.keys('*');
    const parts = await Promise.all(
      keys.map(async (key) => {
        const type = await redis.type(key);
        const held =
          type === 'hash'
            ? await redis.hgetall(key)
            : type === 'list'
              ? await redis.lrange(key, 0, -1)
              : type === 'set'
                ? await redis.smembers(key)
                : type === 'zset'
                  ? await redis.zrange(key, '0', '-1')
                  : await redis.get(key);
        return `${key} ${JSON.stringify(held)} ${(await redis.dumpBuffer(key))?.toString('latin1') ?? ''}`;
      }),
    );
    return parts.join('\n');
  } finally {
    redis.disconnect();
  }
}

/** Every row of every table, one text for each table, and what sessions are running or ran last. */
async function dumpOfPostgres({ database: { psql } }: Api): Promise<string[]> {
  const tables = await psql<{ name: string }[]>`SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name
    FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`;
  const dumps = [];
  for (const { name } of tables) {
    const rows = await psql.unsafe(`SELECT t::text AS row FROM ${name} AS t`);
    dumps.push(`${name}\n${rows.map(({ row }) => row).join('\n')}`);
  }
  const sessions = await psql`SELECT query FROM pg_stat_activity`;
  return [...dumps, `sessions\n${sessions.map(({ query }) => query).join('\n')}`];
}

/** Resolves once a session of the gateway waits for a lock. */
async function untilWaiting({ database: { psql } }: Api): Promise<void> {
  for (;;) {
    const rows =
      await psql`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    if (rows.length > 0) return;
  }
}
