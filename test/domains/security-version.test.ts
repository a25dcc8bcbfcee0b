// What versions of secrets promise: overlap, restoring, destroying, and how often a caller reveals.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Api, type Caller, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { redisCli } from '../support/redis.js';

const officer = { subject: 'officer', scopes: ['security:read', 'security:write', 'security:reveal'] };

let api: Api;
let other: Api;
beforeAll(async () => {
  api = await startApi();
  other = await startApi({ database: api.database });
});
afterAll(async () => {
  await other.close();
  await api.close();
});

const WRITTEN = `__typename
  ... on UserError { code message path }
  ... on ConflictError { currentVersion }`;
const SECRET = `receipt { version visible dryRun changeId } securityValue {
  name currentVersion rotationDue version versions { number state validUntil } }`;

const DOCUMENTS = {
  putSecret: `mutation ($name: String!, $value: String!, $rotateEveryDays: Int, $options: WriteOptions) {
    putSecret(name: $name, value: $value, rotateEveryDays: $rotateEveryDays, options: $options) {
      ${WRITTEN} ... on PutSecretPayload { ${SECRET} } } }`,
  rotateSecret: `mutation ($name: String!, $value: String!, $overlapSeconds: Int!, $options: WriteOptions) {
    rotateSecret(name: $name, value: $value, overlapSeconds: $overlapSeconds, options: $options) {
      ${WRITTEN} ... on RotateSecretPayload { ${SECRET} } } }`,
  restoreSecret: `mutation ($name: String!, $version: Int!, $options: WriteOptions) {
    restoreSecret(name: $name, version: $version, options: $options) {
      ${WRITTEN} ... on RestoreSecretPayload { ${SECRET} } } }`,
  destroySecretVersion: `mutation ($name: String!, $version: Int!, $options: WriteOptions) {
    destroySecretVersion(name: $name, version: $version, options: $options) {
      ${WRITTEN} ... on DestroySecretVersionPayload { ${SECRET} } } }`,
  revealSecret: `mutation ($name: String!, $version: Int, $reason: String = "testing") {
    revealSecret(name: $name, version: $version, reason: $reason) {
      ${WRITTEN} ... on RevealSecretPayload { value version } } }`,
};
type Mutation = keyof typeof DOCUMENTS;

const ask = async (mutation: Mutation, variables: Record<string, unknown>, gateway = api, caller: Caller = officer) =>
  gateway.ask(DOCUMENTS[mutation], caller, variables);

/** The member of the result union. */
const run = async (mutation: Mutation, variables: Record<string, unknown>, gateway = api) => {
  const { data, errors } = await ask(mutation, variables, gateway);
  expect(errors).toEqual([]);
  return data[mutation];
};

/** Makes a secret of these values, each replacing the one before for good. */
const versions = async (name: string, ...values: string[]) => {
  for (const value of values) await run('putSecret', { name, value });
};

const states = ({ securityValue }: { securityValue: { versions: { number: number; state: string }[] } }) =>
  Object.fromEntries(securityValue.versions.map(({ number, state }) => [number, state]));

const audited = (name: string) =>
  api.database.psql`SELECT actor, action, reason, before, after FROM changes WHERE key = ${name} ORDER BY sequence`;

describe('rotating a secret', () => {
  it('lets the version before be revealed for the overlap, on every gateway, and not after it', async () => {
    await versions('overlap', 'one');
    const rotated = await run('rotateSecret', { name: 'overlap', value: 'two', overlapSeconds: 3_600 });
    expect(rotated).toMatchObject({ receipt: { visible: true }, securityValue: { currentVersion: 2 } });
    const [, old] = rotated.securityValue.versions;
    expect(old).toMatchObject({ number: 1, state: 'PREVIOUS', validUntil: expect.any(String) });
    for (const gateway of [api, other]) {
      expect(await run('revealSecret', { name: 'overlap' }, gateway)).toMatchObject({ value: 'two', version: 2 });
      expect(await run('revealSecret', { name: 'overlap', version: 1 }, gateway)).toMatchObject({ value: 'one' });
    }
    await api.database.psql`UPDATE secret_versions SET valid_until = now() WHERE name = 'overlap' AND number = 1`;
    for (const gateway of [api, other]) {
      expect(await run('revealSecret', { name: 'overlap', version: 1 }, gateway)).toMatchObject({
        __typename: 'NotFoundError',
        path: ['version'],
        message: expect.stringContaining('the overlap is over'),
      });
    }
  });

  it('without an overlap ends the version before at once', async () => {
    await versions('abrupt', 'one');
    await run('rotateSecret', { name: 'abrupt', value: 'two', overlapSeconds: 0 });
    expect(await run('revealSecret', { name: 'abrupt', version: 1 })).toMatchObject({ __typename: 'NotFoundError' });
    expect(await run('revealSecret', { name: 'abrupt' })).toMatchObject({ value: 'two' });
  });

  it('makes no secret, and is in the audit log without the value', async () => {
    expect(await run('rotateSecret', { name: 'nothing', value: 'x', overlapSeconds: 0 })).toMatchObject({
      __typename: 'NotFoundError',
      path: ['name'],
      message: expect.stringContaining('putSecret makes one'),
    });
    await versions('logged', 'planted one');
    const options = { reason: 'quarterly' };
    await run('rotateSecret', { name: 'logged', value: 'planted two', overlapSeconds: 60, options });
    const rows = await audited('logged');
    expect(rows[1]).toEqual({
      actor: 'officer',
      action: 'rotateSecret',
      reason: 'quarterly',
      before: { version: 1 },
      after: { version: 2, overlapSeconds: 60 },
    });
    expect(JSON.stringify(rows)).not.toContain('planted');
  });

  it('makes it due later: secrets whose rotation is due are listed', async () => {
    await run('putSecret', { name: 'due/old', value: 'x', rotateEveryDays: 30 });
    await run('putSecret', { name: 'due/young', value: 'x', rotateEveryDays: 30 });
    await run('putSecret', { name: 'due/never', value: 'x' });
    await api.database.psql`UPDATE secret_versions SET created_at = now() - interval '31 days' WHERE name = 'due/old'`;
    const due = async (rotationDue: boolean) => {
      const { data } = await api.ask(
        `query ($rotationDue: Boolean) { securityValues(prefix: "due/", rotationDue: $rotationDue) { edges { node { name } } } }`,
        officer,
        { rotationDue },
      );
      return data.securityValues.edges.map(({ node }: { node: { name: string } }) => node.name);
    };
    expect(await due(true)).toEqual(['due/old']);
    expect(await due(false)).toEqual(['due/never', 'due/young']);
    await run('rotateSecret', { name: 'due/old', value: 'y', overlapSeconds: 60 });
    expect(await due(true)).toEqual([]);
  });
});

describe('restoring a version', () => {
  it('makes it current again, also after its overlap, and keeps the one that was', async () => {
    await versions('back', 'one');
    await run('rotateSecret', { name: 'back', value: 'broken', overlapSeconds: 0 });
    const restored = await run('restoreSecret', { name: 'back', version: 1, options: { reason: 'two is broken' } });
    expect(restored.securityValue).toMatchObject({ currentVersion: 1 });
    expect(states(restored)).toEqual({ 1: 'CURRENT', 2: 'PREVIOUS' });
    expect(await run('revealSecret', { name: 'back' }, other)).toMatchObject({ value: 'one', version: 1 });
    expect(await run('revealSecret', { name: 'back', version: 2 }, other)).toMatchObject({ value: 'broken' });
    const next = await run('putSecret', { name: 'back', value: 'three' });
    expect(states(next)).toEqual({ 1: 'PREVIOUS', 2: 'PREVIOUS', 3: 'CURRENT' });
    expect((await audited('back')).filter(({ action }) => action === 'restoreSecret')).toEqual([
      {
        actor: 'officer',
        action: 'restoreSecret',
        reason: 'two is broken',
        before: { version: 2 },
        after: { version: 1 },
      },
    ]);
  });

  it('changes nothing when it is current, and is refused when it is destroyed', async () => {
    await versions('again', 'one', 'two', 'three');
    const { receipt } = await run('restoreSecret', { name: 'again', version: 2 });
    expect(await run('restoreSecret', { name: 'again', version: 2 })).toMatchObject({
      receipt: { version: receipt.version, visible: true },
    });
    await run('destroySecretVersion', { name: 'again', version: 1 });
    expect(await run('restoreSecret', { name: 'again', version: 1 })).toMatchObject({
      __typename: 'NotFoundError',
      path: ['version'],
    });
  });
});

describe('destroying a version', () => {
  it('leaves its ciphertext in no row of Postgres and in no key of Redis, on any gateway', async () => {
    const { psql, installation } = api.database;
    await versions('gone', 'one', 'two');
    const [before] = await psql`SELECT ciphertext, wrapped_key FROM secret_versions WHERE name = 'gone' AND number = 1`;
    const forms = [before?.ciphertext, before?.wrapped_key].flatMap((bytes: Buffer) => [
      bytes.toString('base64'),
      bytes.toString('hex'),
    ]);
    const redis = redisCli(inject('redisUrl'));
    const [key = ''] = await eventually(async () => {
      await other.ask(`{ securityValue(name: "gone") { name } }`, officer);
      const keys = await redis.keys(`{${installation}.*}e:secret:gone`);
      return (await redis.hget(keys[0] ?? '', 'value@1')) === null ? undefined : keys;
    });
    const inRedis = async () => JSON.stringify(await redis.hgetall(key));
    const inPostgres = async () => JSON.stringify(await rowsOfAllTables(api));
    expect(await inRedis()).toContain(forms[0]);
    expect(await inPostgres()).toContain(forms[1]);

    const destroyed = await run('destroySecretVersion', { name: 'gone', version: 1, options: { idempotencyKey: 'd' } });
    expect(states(destroyed)).toEqual({ 1: 'DESTROYED', 2: 'CURRENT' });
    expect(destroyed.receipt.visible).toBe(true);
    const [redisNow, postgresNow] = [await inRedis(), await inPostgres()];
    redis.disconnect();
    for (const form of forms) {
      expect(redisNow).not.toContain(form);
      expect(postgresNow).not.toContain(form);
    }
    for (const gateway of [api, other]) {
      expect(await run('revealSecret', { name: 'gone', version: 1 }, gateway)).toMatchObject({
        __typename: 'NotFoundError',
        path: ['version'],
      });
      expect(await run('revealSecret', { name: 'gone' }, gateway)).toMatchObject({ value: 'two' });
    }
  });

  it('leaves it in no file of the table either, once no older transaction may see it', async () => {
    const { psql } = api.database;
    await versions('rewritten', 'one', 'two');
    const [row] =
      await psql`SELECT ciphertext, wrapped_key FROM secret_versions WHERE name = 'rewritten' AND number = 1`;
    const isOnDisk = async () => {
      await psql`CHECKPOINT`;
      const [file] = await psql`SELECT pg_read_binary_file(pg_relation_filepath('secret_versions')) AS bytes`;
      return [row?.ciphertext, row?.wrapped_key].some((bytes) => file?.bytes.includes(bytes));
    };
    expect(await isOnDisk()).toBe(true);
    await eventually(async () => {
      await run('destroySecretVersion', { name: 'rewritten', version: 1 });
      return !(await isOnDisk());
    });
  });

  it('may be the current one: then the secret has none until one is put or restored', async () => {
    await versions('current', 'one', 'two');
    const destroyed = await run('destroySecretVersion', { name: 'current', version: 2 });
    expect(destroyed.securityValue).toMatchObject({ currentVersion: null, rotationDue: null });
    expect(await run('revealSecret', { name: 'current' })).toMatchObject({
      __typename: 'NotFoundError',
      message: expect.stringContaining('no current version'),
    });
    expect((await run('restoreSecret', { name: 'current', version: 1 })).securityValue.currentVersion).toBe(1);
    await run('destroySecretVersion', { name: 'current', version: 1 });
    expect((await run('rotateSecret', { name: 'current', value: 'x', overlapSeconds: 0 })).securityValue).toMatchObject(
      {
        currentVersion: 3,
      },
    );
  });

  it('is done once: again it changes nothing', async () => {
    await versions('twice', 'one', 'two');
    const { receipt } = await run('destroySecretVersion', { name: 'twice', version: 1 });
    expect(await run('destroySecretVersion', { name: 'twice', version: 1 })).toMatchObject({
      receipt: { version: receipt.version },
    });
  });
});

const onSecret: [Mutation, Record<string, unknown>][] = [
  ['putSecret', { value: 'planted new' }],
  ['rotateSecret', { value: 'planted new', overlapSeconds: 60 }],
  ['restoreSecret', { version: 1 }],
  ['destroySecretVersion', { version: 1 }],
];

describe.each(onSecret)('%s', (mutation, variables) => {
  const made = async (name: string) => {
    await versions(`${mutation}/${name}`, 'one', 'two');
    return `${mutation}/${name}`;
  };
  const facts = async (name: string) =>
    api.database.psql`SELECT number, state, valid_until FROM secret_versions WHERE name = ${name} ORDER BY number`;

  it('is refused when the version is not the one expected, which the refusal names', async () => {
    const name = await made('stale');
    const before = await facts(name);
    const { version } = (await api.ask(`{ securityValue(name: "${name}") { version } }`, officer)).data.securityValue;
    expect(await run(mutation, { name, ...variables, options: { expectedVersion: '1' } })).toMatchObject({
      __typename: 'ConflictError',
      currentVersion: version,
    });
    expect(await facts(name)).toEqual(before);
    expect(await run(mutation, { name, ...variables, options: { expectedVersion: version } })).toHaveProperty(
      'receipt',
    );
  });

  it('is done by one of two gateways that expect the same version', async () => {
    const name = await made('raced');
    const { version } = (await api.ask(`{ securityValue(name: "${name}") { version } }`, officer)).data.securityValue;
    const options = { expectedVersion: version };
    const answers = await Promise.all([api, other].map((each) => run(mutation, { name, ...variables, options }, each)));
    expect(answers.map(({ __typename }) => __typename === 'ConflictError').sort()).toEqual([false, true]);
  });

  it('writes nothing in a dry run, and says what would be', async () => {
    const name = await made('dry');
    const before = await facts(name);
    const dry = await run(mutation, { name, ...variables, options: { dryRun: true } });
    expect(dry.receipt).toMatchObject({ dryRun: true, visible: false, changeId: null });
    expect(await facts(name)).toEqual(before);
    const done = await run(mutation, { name, ...variables });
    expect(states(dry)).toEqual(states(done));
  });

  it('with an idempotency key is done once, and never gives a value', async () => {
    const name = await made('keyed');
    const options = { idempotencyKey: name };
    const first = await run(mutation, { name, ...variables, options });
    const again = await run(mutation, { name, ...variables, options }, other);
    expect(again).toEqual(first);
    expect(JSON.stringify(again)).not.toContain('planted');
    const other_ = {
      name,
      ...variables,
      ...('value' in variables ? { value: 'planted other' } : { version: 2 }),
      options,
    };
    const refused = await run(mutation, other_);
    expect(refused.__typename).toBe('IdempotencyError');
    expect(JSON.stringify(refused)).not.toContain('planted');
  });

  const hostile: [string, Record<string, unknown>][] = [
    ['an empty name', { name: '' }],
    ['a name with a NUL', { name: 'a\0b' }],
    ['a name with half of a character', { name: 'a\ud83d' }],
    ['a name of 201 characters', { name: 'n'.repeat(201) }],
    ['a name with a blank', { name: 'planted value' }],
    ['a name that leads up', { name: '../x' }],
    ...('value' in variables
      ? ([
          ['an empty value', { value: '' }],
          ['a value above 64 KiB', { value: 'planted'.repeat(10_000) }],
          ['a value with half of a character', { value: 'planted\udc00' }],
        ] as [string, Record<string, unknown>][])
      : []),
    ...('overlapSeconds' in variables
      ? ([
          ['an overlap of -1', { overlapSeconds: -1 }],
          ['an overlap of more than 30 days', { overlapSeconds: 2_592_001 }],
        ] as [string, Record<string, unknown>][])
      : []),
  ];
  it.each(hostile)('refuses %s, and repeats nothing of it', async (_, bad) => {
    const refused = await run(mutation, { name: 'hostile', ...variables, ...bad });
    const [argument = ''] = Object.keys(bad);
    expect(refused).toMatchObject({ __typename: 'ValidationError', path: [argument] });
    expect(refused.message).toMatch(/\.$/);
    expect(refused.message).not.toMatch(/planted|nnnn|\ud83d/u);
    expect(await api.database.psql`SELECT FROM security_values WHERE name LIKE 'hostile%'`).toHaveLength(0);
  });

  it('refuses a name of another kind', async () => {
    await api.ask(`mutation { putParameter(name: "parameter", parameter: 1) { __typename } }`, officer);
    expect(await run(mutation, { name: 'parameter', ...variables })).toMatchObject({
      __typename: 'ValidationError',
      path: ['name'],
      message: expect.stringContaining('is a PARAMETER'),
    });
  });

  it('refuses what does not exist', async () => {
    if (!('version' in variables)) return;
    expect(await run(mutation, { name: 'no-such-secret', ...variables })).toMatchObject({
      __typename: 'NotFoundError',
      path: ['name'],
    });
    const name = await made('missing');
    for (const version of [0, -1, 3, 2_147_483_647]) {
      expect(await run(mutation, { name, version })).toMatchObject({ __typename: 'NotFoundError', path: ['version'] });
    }
  });

  it('takes a value with a NUL as it takes any other', async () => {
    if (!('value' in variables)) return;
    const name = await made('nul');
    await run(mutation, { name, ...variables, value: 'a\0b' });
    expect(await run('revealSecret', { name })).toMatchObject({ value: 'a\0b' });
  });

  it('needs security:write', async () => {
    const name = await made('guarded');
    const { data } = await ask(mutation, { name, ...variables }, api, { scopes: ['security:read', 'security:reveal'] });
    expect(data[mutation]).toMatchObject({ __typename: 'ForbiddenError' });
  });
});

describe('a caller', () => {
  const allowance = (subject: string, remaining: number) =>
    // Refilled from a time to come: none is added while the test runs.
    api.database.psql`INSERT INTO reveal_allowances VALUES (${subject}, ${remaining}, now() + interval '1 hour')
      ON CONFLICT (subject) DO UPDATE SET remaining = ${remaining}, refilled_at = now() + interval '1 hour'`;
  const caller = (subject: string) => ({ ...officer, subject });

  it('reveals no more than the allowance, on all gateways together, and each that is refused is not in the audit log', async () => {
    await versions('limited', 'planted');
    await allowance('greedy', 3);
    const answers = await Promise.all(
      [api, other, api, other, api].map((each) => ask('revealSecret', { name: 'limited' }, each, caller('greedy'))),
    );
    const refused = answers.filter(({ data }) => data === null);
    expect(refused).toHaveLength(2);
    expect(refused.map(({ errors }) => errors[0]?.code)).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
    expect(refused[0]?.errors[0]?.message).toMatch(/60 secrets at once and one more each second/);
    expect((await audited('limited')).filter(({ actor }) => actor === 'greedy')).toHaveLength(3);
    expect((await ask('revealSecret', { name: 'limited' }, api, caller('modest'))).data.revealSecret.value).toBe(
      'planted',
    );
  });

  it('pays nothing for what is refused', async () => {
    await versions('free', 'x');
    await allowance('unlucky', 1);
    for (const variables of [{ name: 'no-such-secret' }, { name: 'free', version: 9 }, { name: 'free', reason: '' }]) {
      const { data } = await ask('revealSecret', variables, api, caller('unlucky'));
      expect(data.revealSecret).not.toHaveProperty('value');
    }
    expect((await ask('revealSecret', { name: 'free' }, api, caller('unlucky'))).data.revealSecret.value).toBe('x');
  });

  it('gets one more each second, up to sixty', async () => {
    await versions('refilled', 'x');
    const { psql } = api.database;
    await psql`INSERT INTO reveal_allowances VALUES ('patient', 0, now() - interval '1 day')`;
    expect((await ask('revealSecret', { name: 'refilled' }, api, caller('patient'))).data.revealSecret.value).toBe('x');
    const [found] = await psql`SELECT remaining FROM reveal_allowances WHERE subject = 'patient'`;
    expect(found?.remaining).toBe(59);
  });
});

async function rowsOfAllTables({ database: { psql } }: Api) {
  const tables = await psql<{ name: string }[]>`SELECT quote_ident(tablename) AS name FROM pg_tables
    WHERE schemaname = 'public'`;
  return Promise.all(tables.map(({ name }) => psql.unsafe(`SELECT t::text AS row FROM ${name} AS t`)));
}
