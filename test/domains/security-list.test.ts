// What lists of security values promise, asked through GraphQL.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Api, startApi, withoutRelays } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { changedBytes } from './security-wire.js';

const officer = { subject: 'officer', scopes: ['security:read', 'security:write'] };

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const CHANGE = `mutation ($name: String!, $add: [String!], $remove: [String!], $options: WriteOptions) {
  changeSecurityList(name: $name, add: $add, remove: $remove, options: $options) {
    __typename
    ... on ChangeSecurityListPayload { added removed receipt { version visible } securityValue {
      id name kind parameter memberCount currentVersion versions { number } version stale } }
    ... on UserError { code message path }
    ... on ConflictError { currentVersion }
  }
}`;

const change = async (name: string, variables: object, gateway = api) =>
  (await gateway.ask(CHANGE, officer, { name, ...variables })).data.changeSecurityList;

const contains = (name: string, members: readonly string[], gateway = api) =>
  gateway.ask(
    `query ($name: String!, $members: [String!]!) { securityListContains(name: $name, members: $members) }`,
    officer,
    { name, members },
  );

const isIn = async (name: string, members: readonly string[], gateway = api) =>
  (await contains(name, members, gateway)).data.securityListContains;

/** Reads until the list comes out of the store. */
const warm = (name: string, gateway = api) =>
  eventually(async () => (await contains(name, ['warm'], gateway)).trace.every(({ outcome }) => outcome === 'HIT'));

const numbered = (count: number, prefix = 'member') => Array.from({ length: count }, (_, at) => `${prefix}-${at}`);

describe('a list', () => {
  it('is made by what is first added to it, and counts what was added and removed', async () => {
    const first = await change('made', { add: ['a', 'b', 'b'] });
    expect(first).toMatchObject({ added: 2, removed: 0, receipt: { visible: true } });
    expect(first.securityValue).toMatchObject({ name: 'made', kind: 'LIST', memberCount: 2, stale: false });
    expect(first.securityValue).toMatchObject({ parameter: null, currentVersion: null, versions: [] });
    const second = await change('made', { add: ['b', 'c', 'd'], remove: ['a', 'x'] });
    expect(second).toMatchObject({ added: 2, removed: 1, securityValue: { memberCount: 3 } });
    expect(await isIn('made', ['a', 'b', 'c', 'd', 'x'])).toEqual([false, true, true, true, false]);
    const { data } = await api.ask(`{ securityValue(name: "made") { memberCount version } }`, officer);
    expect(data.securityValue).toEqual({ memberCount: 3, version: second.receipt.version });
  });

  it('keeps its version when a change changes nothing', async () => {
    const { receipt } = await change('still', { add: ['a'] });
    const again = await change('still', { add: ['a'], remove: ['b'] });
    expect(again).toMatchObject({ added: 0, removed: 0, receipt: { version: receipt.version, visible: true } });
  });

  it('may become empty, and then says no to all', async () => {
    await change('empty', { add: ['a'] });
    expect(await change('empty', { remove: ['a'] })).toMatchObject({ removed: 1, securityValue: { memberCount: 0 } });
    expect(await isIn('empty', ['a'])).toEqual([false]);
    expect(await change('empty', { add: ['b'] })).toMatchObject({ added: 1, securityValue: { memberCount: 1 } });
    expect(await isIn('empty', ['a', 'b'])).toEqual([false, true]);
  });

  it('compares character by character, whatever the characters', async () => {
    const odd = [
      ' ',
      'a ',
      'A',
      'é',
      'e\u0301',
      '💥',
      '0',
      '1',
      '\n',
      '"',
      '{a}',
      'x'.repeat(1_000),
      '語'.repeat(600),
      '#',
    ];
    await change('odd', { add: odd });
    expect(await isIn('odd', odd)).toEqual(odd.map(() => true));
    expect(await isIn('odd', ['a', 'É', '', '2', 'x'.repeat(999), 'y'.repeat(2_000), 'a\0', '\ud83d'])).toEqual(
      Array.from({ length: 8 }, () => false),
    );
    expect(await isIn('odd', ['A', 'A', 'a', 'A'])).toEqual([true, true, false, true]);
  });

  it('that does not exist is an error, never a "no"', async () => {
    for (const name of ['no-such-list', 'not a name', '']) {
      const { data, errors } = await contains(name, ['a']);
      expect([data, errors[0]?.code]).toEqual([null, 'BAD_REQUEST']);
    }
    expect((await contains('no-such-list', ['a'])).errors[0]?.message).toContain('There is no list no-such-list');
    await api.ask(`mutation { putParameter(name: "no-list", parameter: 1) { __typename } }`, officer);
    expect((await contains('no-list', ['a'])).errors[0]?.code).toBe('BAD_REQUEST');
    expect(await change('no-such-list', { remove: ['a'] })).toMatchObject({
      __typename: 'NotFoundError',
      path: ['name'],
    });
    expect((await api.ask(`{ securityValue(name: "no-such-list") { name } }`, officer)).data.securityValue).toBeNull();
  });

  it('is gone for everybody when psql deletes it, and shows what psql changes', async () => {
    await change('by-hand', { add: ['a'] });
    expect(await isIn('by-hand', ['a', 'b'])).toEqual([true, false]);
    const { psql } = api.database;
    await psql`INSERT INTO security_list_members VALUES ('by-hand', 'b')`;
    await psql`SELECT cache_barrier('30 seconds')`;
    expect(await isIn('by-hand', ['a', 'b'])).toEqual([true, true]);
    expect(await change('by-hand', { remove: ['a'] })).toMatchObject({ removed: 1, securityValue: { memberCount: 1 } });
    await psql`DELETE FROM security_values WHERE name = 'by-hand'`;
    await psql`SELECT cache_barrier('30 seconds')`;
    expect((await contains('by-hand', ['b'])).errors[0]?.code).toBe('BAD_REQUEST');
    expect(await change('by-hand', { add: ['z'] })).toMatchObject({ added: 1, securityValue: { memberCount: 1 } });
    expect(await isIn('by-hand', ['b', 'z'])).toEqual([false, true]);
  });

  it('takes 10,000 changes in one mutation, and answers 1,000 members in one round-trip', async () => {
    const members = numbered(10_000);
    expect(await change('large', { add: members })).toMatchObject({
      added: 10_000,
      securityValue: { memberCount: 10_000 },
    });
    const asked = Array.from({ length: 1_000 }, (_, at) => (at % 2 ? `member-${at * 9}` : `stranger-${at}`));
    await warm('large');
    api.events.length = 0;
    expect(await isIn('large', asked)).toEqual(asked.map((member) => member.startsWith('member')));
    expect(api.events.map(({ kind }) => kind).filter((kind) => kind !== 'relayed')).toEqual(['flush', 'hit']);
    expect(await change('large', { remove: members.slice(1) })).toMatchObject({ removed: 9_999 });
    expect(await isIn('large', ['member-0', 'member-1'])).toEqual([true, false]);
  });

  it('leaves counts and a sample in the audit log, not ten thousand members', async () => {
    await change('audited', { add: numbered(500) });
    await change('audited', { add: ['new'], remove: ['member-1'], options: { reason: 'a mistake' } });
    const rows = await api.database
      .psql`SELECT actor, action, reason, before, after FROM changes WHERE key = 'audited' ORDER BY sequence`;
    expect(rows[0]).toMatchObject({
      before: null,
      after: { members: 500, added: { count: 500 }, removed: { count: 0 } },
    });
    expect(rows[0]?.after.added.first).toHaveLength(20);
    expect(rows[1]).toEqual({
      actor: 'officer',
      action: 'changeSecurityList',
      reason: 'a mistake',
      before: { members: 500 },
      after: { members: 500, added: { count: 1, first: ['new'] }, removed: { count: 1, first: ['member-1'] } },
    });
  });

  it.each([
    ['an empty member', { add: ['a', ''] }, ['add', '1']],
    ['a member of 1,001 characters', { add: ['x'.repeat(1_001)] }, ['add', '0']],
    ['a member of more than 2,000 bytes', { remove: ['語'.repeat(667)] }, ['remove', '0']],
    ['a member with a NUL', { add: ['a\0'] }, ['add', '0']],
    ['a member with half a character', { add: ['\ud83d'] }, ['add', '0']],
    ['adding and removing one member', { add: ['a', 'b'], remove: ['c', 'b'] }, ['remove', '1']],
    ['10,001 members', { add: numbered(10_001) }, ['add']],
    ['a name with blanks', { name: 'a b', add: ['a'] }, ['name']],
    ['a name of 201 characters', { name: 'n'.repeat(201), add: ['a'] }, ['name']],
  ])('refuses %s, naming the place', async (_, variables, path) => {
    const refused = await change('refusing', variables);
    expect(refused).toMatchObject({ __typename: 'ValidationError', path });
    expect(refused.message).toMatch(/[.]$/);
    expect((await contains('refusing', ['a'])).errors[0]?.code).toBe('BAD_REQUEST');
  });

  it('is not asked for more than 1,000 members', async () => {
    await change('asked', { add: ['a'] });
    expect((await contains('asked', numbered(1_001))).errors[0]).toMatchObject({ code: 'BAD_REQUEST' });
    expect(await isIn('asked', numbered(1_000))).toHaveLength(1_000);
    expect(await isIn('asked', [])).toEqual([]);
  });

  it('takes the longest member under the longest name', async () => {
    const random = Array.from({ length: 666 }, (_, at) => String.fromCodePoint(0x4e00 + ((at * 7919) % 20_000))).join(
      '',
    );
    const name = Array.from({ length: 133 }, (_, at) => String.fromCodePoint(0x5000 + ((at * 6007) % 10_000))).join('');
    expect(await change(name, { add: [random] })).toMatchObject({ added: 1 });
    expect(await isIn(name, [random])).toEqual([true]);
  });

  it('is refused with ConflictError when it is no longer what was expected', async () => {
    const { receipt } = await change('expected', { add: ['a'], options: { expectedVersion: '0' } });
    expect(await change('expected', { add: ['b'], options: { expectedVersion: '0' } })).toMatchObject({
      __typename: 'ConflictError',
      currentVersion: receipt.version,
    });
  });
});

describe('changing one member of a large list', () => {
  const members = numbered(49_233, 'password');
  beforeEach(async () => {
    await api.database.psql`INSERT INTO security_values (name, kind) VALUES ('huge', 'LIST') ON CONFLICT DO NOTHING`;
    await api.database
      .psql`INSERT INTO security_list_members SELECT 'huge', unnest(${members}::text[]) ON CONFLICT DO NOTHING`;
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    api.events.length = 0;
    expect(await isIn('huge', ['password-49232', 'password-49233'])).toEqual([true, false]);
    await warm('huge');
  });

  it('moves that member, not the list, to Redis, and every gateway sees it', async () => {
    const other = await startApi({ database: api.database });
    try {
      expect(await isIn('huge', ['fresh'], other)).toEqual([false]);
      api.events.length = 0;
      other.events.length = 0;
      const bytes = await withoutRelays(() =>
        changedBytes(api, 'security-list:huge', async () => {
          expect(await change('huge', { add: ['fresh'] })).toMatchObject({
            added: 1,
            securityValue: { memberCount: 49_234 },
          });
          expect(await change('huge', { remove: ['password-7'] })).toMatchObject({
            removed: 1,
            receipt: { visible: true },
          });
        }),
      );
      expect(bytes).toBeGreaterThan('fresh'.length);
      expect(bytes).toBeLessThan(8_000);
      expect(await isIn('huge', ['fresh', 'password-7', 'password-8'], other)).toEqual([true, false, true]);
      const told = [...api.events, ...other.events].filter(
        (event) => 'view' in event && event.view === 'security-list',
      );
      expect(told.map(({ kind }) => kind)).toEqual(['fence', 'published', 'fence', 'published', 'hit']);
    } finally {
      await other.close();
    }
  });

  it('asks for one member without moving the list', async () => {
    const bytes = await changedBytes(api, 'security-list:huge', async () => {
      expect(await isIn('huge', ['password-3'])).toEqual([true]);
    });
    expect(bytes).toBeGreaterThan('password-3'.length);
    expect(bytes).toBeLessThan(2_000);
  });
});
