// Environments side by side: promoting a flag, copying an environment, and the kill switch, on two gateways at once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, type Caller, startApi } from '../support/api.js';
import { type Served, serveApi } from '../support/served.js';

const editor = { scopes: ['flags:read', 'flags:write', 'flags:evaluate'] };
const reader = { scopes: ['flags:read'] };
const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };
const offOn = { ...onOff, defaultVariant: 'off' };

let api: Served;
let other: Api;
beforeAll(async () => {
  api = await serveApi();
  other = await startApi({ database: api.database });
  for (const key of ['staging', 'production', 'kept']) await environment(key);
});
afterAll(async () => {
  await other.close();
  await api.close();
});

const ERRORS = `... on UserError { code message path } ... on ConflictError { currentVersion }
  ... on ForbiddenError { requiredScope }`;
const RECEIPT = 'receipt { changeId version visible dryRun }';
const FLAG = 'flag { environment key enabled description definition version }';

async function environment(key: string, isPublic = true): Promise<string> {
  const document = `mutation ($key: String!, $public: Boolean!) { saveEnvironment(key: $key, public: $public) {
    ... on SaveEnvironmentPayload { receipt { version } } ... on UserError { message } } }`;
  return (await api.ask(document, editor, { key, public: isPublic })).data.saveEnvironment.receipt.version;
}
async function save(place: string, key: string, rest: object = {}) {
  const input = { environment: place, key, enabled: true, definition: onOff, ...rest };
  const document = `mutation ($input: SaveFlagInput!) { saveFlag(input: $input) {
    __typename ... on SaveFlagPayload { ${RECEIPT} ${FLAG} } ${ERRORS} } }`;
  const { data } = await api.ask(document, editor, { input });
  expect(data.saveFlag.__typename).toBe('SaveFlagPayload');
  return data.saveFlag;
}
async function toggle(place: string, key: string, enabled: boolean) {
  const document = `mutation { toggleFlag(environment: "${place}", key: "${key}", enabled: ${enabled}) {
    __typename ... on ToggleFlagPayload { ${RECEIPT} } ${ERRORS} } }`;
  return (await api.ask(document, editor)).data.toggleFlag;
}
async function promote(
  key: string,
  args: object = {},
  options: object | null = null,
  caller: Caller = editor,
  at: Api = api,
) {
  const document = `mutation ($key: String!, $from: String!, $to: String!, $options: WriteOptions) {
    promoteFlag(key: $key, from: $from, to: $to, options: $options) {
    __typename ... on PromoteFlagPayload { ${RECEIPT} ${FLAG} } ${ERRORS} } }`;
  return (await at.ask(document, caller, { key, from: 'staging', to: 'production', options, ...args })).data
    .promoteFlag;
}
async function copy(from: string, to: string, options: object | null = null, caller: Caller = editor) {
  const document = `mutation ($from: String!, $to: String!, $options: WriteOptions) {
    copyEnvironment(from: $from, to: $to, options: $options) {
    __typename ... on CopyEnvironmentPayload { ${RECEIPT} environment { key public flagCount } copied unchanged } ${ERRORS} } }`;
  return (await api.ask(document, caller, { from, to, options })).data.copyEnvironment;
}
async function flag(place: string, key: string, at: Api = api) {
  const document = `{ flag(environment: "${place}", key: ${JSON.stringify(key)}) { enabled description definition version } }`;
  return (await at.ask(document, reader)).data.flag;
}

describe('promoting a flag', () => {
  it('makes it in the other environment with its definition, description and switch', async () => {
    await save('staging', 'new', { description: 'First', enabled: false, definition: offOn });
    const promoted = await promote('new');
    expect(promoted).toMatchObject({
      __typename: 'PromoteFlagPayload',
      receipt: { visible: true, dryRun: false },
      flag: { environment: 'production', key: 'new', enabled: false, description: 'First', definition: offOn },
    });
    expect(promoted.flag.version).toBe(promoted.receipt.version);
  });

  it('keeps the switch that the flag has there, so that it undoes no kill switch, and is seen on another gateway', async () => {
    await save('staging', 'killed');
    await promote('killed');
    await toggle('production', 'killed', false);
    await save('staging', 'killed', { definition: offOn, description: 'Second' });
    expect((await promote('killed')).flag).toMatchObject({ enabled: false, definition: offOn, description: 'Second' });
    expect(await flag('production', 'killed', other)).toMatchObject({ enabled: false, definition: offOn });
    expect(await flag('staging', 'killed', other)).toMatchObject({ enabled: true });
  });

  it('revives a flag that was archived there', async () => {
    await save('staging', 'back');
    await promote('back');
    await api.ask('mutation { archiveFlag(environment: "production", key: "back") { __typename } }', editor);
    expect(await flag('production', 'back', other)).toBeNull();
    expect((await promote('back')).flag).toMatchObject({ enabled: true, definition: onOff });
    expect(await flag('production', 'back', other)).not.toBeNull();
  });

  it("expects the flag's version in the environment that it is brought to, 0 where it is new", async () => {
    await save('staging', 'versioned');
    const first = await promote('versioned', {}, { expectedVersion: '0' });
    expect(first.__typename).toBe('PromoteFlagPayload');
    await save('staging', 'versioned', { definition: offOn });
    expect(await promote('versioned', {}, { expectedVersion: '0' })).toMatchObject({
      __typename: 'ConflictError',
      currentVersion: first.receipt.version,
    });
    expect(await flag('production', 'versioned')).toMatchObject({ definition: onOff });
    const second = await promote('versioned', {}, { expectedVersion: first.receipt.version });
    expect(second.flag).toMatchObject({ definition: offOn, version: second.receipt.version });
  });

  it('changes nothing in a dry run, nor when it is repeated, and one key gives the first result again', async () => {
    await save('staging', 'careful');
    expect(await promote('careful', {}, { dryRun: true })).toMatchObject({
      receipt: { dryRun: true, visible: false },
      flag: { definition: onOff },
    });
    expect(await flag('production', 'careful')).toBeNull();
    const options = { idempotencyKey: 'promote-careful' };
    const first = await promote('careful', {}, options);
    expect(await promote('careful', {}, options)).toEqual(first);
    expect(await promote('careful', { to: 'kept' }, options)).toMatchObject({ __typename: 'IdempotencyError' });
    expect((await promote('careful')).receipt.version).toBe(first.receipt.version);
  });

  it('says in the audit log where the flag came from', async () => {
    await save('staging', 'audited');
    await promote('audited', {}, { reason: 'release 7' });
    const rows = await api.database.psql`SELECT action, reason, before, after FROM changes
      WHERE key = 'production/audited'`;
    const after = { enabled: true, description: null, definition: onOff, from: 'staging' };
    expect([...rows]).toEqual([{ action: 'promoteFlag', reason: 'release 7', before: null, after }]);
  });

  it('lets two gateways promote at once: both are acknowledged, and both read what stands', async () => {
    await save('staging', 'raced');
    const results = await Promise.all(
      [...Array(8)].map((_, at) => promote('raced', {}, null, editor, at % 2 ? api : other)),
    );
    expect(new Set(results.map(({ __typename }) => __typename))).toEqual(new Set(['PromoteFlagPayload']));
    const [here, there] = [await flag('production', 'raced'), await flag('production', 'raced', other)];
    expect(here).toEqual(there);
    expect(new Set(results.map(({ receipt }) => receipt.version))).toEqual(new Set([here.version]));
  });

  it('is told to those who follow the environment', async () => {
    await save('staging', 'followed');
    const followed = await api.follow(
      'subscription { flagsChanged(environment: "production") { key environment enabled } }',
    );
    await promote('followed', {}, null, editor, other);
    expect(await followed.next()).toEqual({
      data: { flagsChanged: { key: 'followed', environment: 'production', enabled: true } },
    });
    followed.leave();
  });

  it.each([
    ['from an environment to itself', { to: 'staging' }, 'ValidationError', ['to']],
    ['from an environment that is none', { from: 'a/b' }, 'ValidationError', ['from']],
    ['to an environment that is none', { to: '../x' }, 'ValidationError', ['to']],
    ['to an environment that there is not', { to: 'nowhere' }, 'NotFoundError', ['to']],
    ['a flag that there is not', { key: 'no-such-flag' }, 'NotFoundError', ['key']],
    ['a key that is none', { key: ' x' }, 'ValidationError', ['key']],
    ['a key that breaks SQL', { key: "'; DROP TABLE flags; --" }, 'NotFoundError', ['key']],
  ])('refuses %s', async (_, args, __typename, path) => {
    await save('staging', 'fine');
    const before = await api.database.psql`SELECT count(*) FROM flags`;
    const refused = await promote('fine', args);
    expect(refused).toMatchObject({ __typename, path, message: expect.stringMatching(/\.$/) });
    expect(await api.database.psql`SELECT count(*) FROM flags`).toEqual(before);
  });

  it('needs flags:write', async () => {
    expect(await promote('fine', {}, null, reader)).toMatchObject({
      __typename: 'ForbiddenError',
      requiredScope: 'flags:write',
    });
    expect(await copy('staging', 'kept', null, reader)).toMatchObject({
      __typename: 'ForbiddenError',
      requiredScope: 'flags:write',
    });
  });
});

describe('copying an environment', () => {
  it('makes the other one, not public, and its flags; again it changes nothing', async () => {
    await environment('source');
    for (const key of ['a', 'b', 'c']) await save('source', key, { enabled: key !== 'b' });
    await save('source', 'gone');
    await api.ask('mutation { archiveFlag(environment: "source", key: "gone") { __typename } }', editor);
    expect(await copy('source', 'target')).toMatchObject({
      __typename: 'CopyEnvironmentPayload',
      receipt: { visible: true },
      environment: { key: 'target', public: false, flagCount: 3 },
      copied: 3,
      unchanged: 0,
    });
    expect(await flag('target', 'b', other)).toMatchObject({ enabled: false });
    expect(await flag('target', 'gone', other)).toBeNull();
    expect(await copy('source', 'target')).toMatchObject({ copied: 0, unchanged: 3 });
  });

  it('keeps switches and flags that the other one has, and writes what differs only', async () => {
    await environment('from');
    await environment('into');
    for (const key of ['same', 'switched', 'other']) {
      await save('from', key);
      await save('into', key);
    }
    await save('into', 'own');
    await toggle('into', 'switched', false);
    await save('from', 'other', { definition: offOn });
    expect(await copy('from', 'into')).toMatchObject({
      copied: 1,
      unchanged: 2,
      environment: { flagCount: 4, public: true },
    });
    expect(await flag('into', 'switched', other)).toMatchObject({ enabled: false });
    expect(await flag('into', 'other', other)).toMatchObject({ definition: offOn });
    expect(await flag('into', 'own', other)).not.toBeNull();
  });

  it('copies 2,000 flags in one write, visible to both gateways once acknowledged', async () => {
    await environment('large');
    await api.database.psql`INSERT INTO flags (environment, key, enabled, definition)
      SELECT 'large', 'flag-' || n, true, ${api.database.psql.json(onOff)} FROM generate_series(1, 2000) AS n`;
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    expect(await copy('large', 'large-copy')).toMatchObject({ copied: 2_000, receipt: { visible: true } });
    expect(await flag('large-copy', 'flag-1999', other)).toMatchObject({ enabled: true });
    expect(await flag('large-copy', 'flag-2000')).toMatchObject({ enabled: true });
  });

  it.each([
    ['itself', ['source', 'source'], 'ValidationError', ['to']],
    ['what is no environment', ['source', 'a b'], 'ValidationError', ['to']],
    ['one that there is not', ['nowhere', 'target'], 'NotFoundError', ['from']],
  ])('refuses %s', async (_, [from = '', to = ''], __typename, path) => {
    expect(await copy(from, to)).toMatchObject({ __typename, path });
  });

  it('writes nothing in a dry run, and refuses a version that is not the one expected', async () => {
    await environment('dry-from');
    await save('dry-from', 'a');
    expect(await copy('dry-from', 'dry-to', { dryRun: true })).toMatchObject({ receipt: { dryRun: true }, copied: 1 });
    expect(await api.database.psql`SELECT FROM environments WHERE key = 'dry-to'`).toHaveLength(0);
    expect(await copy('dry-from', 'dry-to', { expectedVersion: '7' })).toMatchObject({ __typename: 'ConflictError' });
    expect(await copy('dry-from', 'dry-to', { expectedVersion: '0' })).toMatchObject({ copied: 1 });
  });
});
