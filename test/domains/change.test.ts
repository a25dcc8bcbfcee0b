// The audit log: what is in it, who reads it, and how it is paged.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { traceOf } from '../../src/caller.js';
import { contextOfViewer, listChanges } from '../../src/resolvers/index.js';
import { type Api, type Caller, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { PLANTED, run } from './mutation-cases.js';

let api: Api;
let other: Api;
beforeAll(async () => {
  api = await startApi();
  other = await startApi();
});
afterAll(() => Promise.all([api.close(), other.close()]));

const auditor = { subject: 'auditor', scopes: ['audit:read'] };

const DOCUMENT = `query ($domain: ChangeDomain, $key: String, $first: Int, $after: String) {
  changes(domain: $domain, key: $key, first: $first, after: $after) {
    edges { cursor node { id at actor action domain key reason before after } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

const ask = (args: object = {}, caller: Caller = auditor, at = api) => at.ask(DOCUMENT, caller, { ...args });
const changes = async (args: object = {}) => (await ask(args)).data.changes;

const newTag = () => `c-${randomUUID()}`;
const put = (name: string, limit: number, options: object = {}) =>
  run(api, ['putParameter', { name, parameter: { limit } }], { ...options });

/** All pages of a listing, by their keys. */
async function pages(args: object, first: number): Promise<string[][]> {
  const seen: string[][] = [];
  let after: string | null = null;
  do {
    const page = await changes({ ...args, first, after });
    seen.push(page.edges.map(({ node }: { node: { id: string } }) => node.id));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  return seen;
}

describe('a row', () => {
  it('says who did what to what, why, and what it was before and after', async () => {
    const name = newTag();
    await put(name, 1);
    const { receipt } = await put(name, 2, { reason: 'raised' });
    const { edges } = await changes({ key: name });
    expect(edges[0].node).toEqual({
      id: receipt.changeId,
      at: expect.stringMatching(/^2.*Z$/),
      actor: 'officer',
      action: 'putParameter',
      domain: 'SECURITY_VALUE',
      key: name,
      reason: 'raised',
      before: { parameter: { limit: 1 }, schema: null },
      after: { parameter: { limit: 2 }, schema: null },
    });
    expect(edges[1].node).toMatchObject({ reason: null, before: null });
  });

  it('is a node, for who may read the log; for others there is none', async () => {
    const { receipt } = await put(newTag(), 1);
    const node = async (caller: Caller, id = receipt.changeId) =>
      (await api.ask(`query ($id: ID!) { node(id: $id) { id ... on Change { action } } }`, caller, { id })).data.node;
    expect(await node(auditor)).toEqual({ id: receipt.changeId, action: 'putParameter' });
    expect(await node({ scopes: ['security:read'] })).toBeNull();
    const idOf = (key: string) => Buffer.from(`Change:${key}`).toString('base64url');
    for (const key of [randomUUID(), 'no uuid', "'; DROP TABLE changes; --"])
      expect(await node(auditor, idOf(key))).toBeNull();
  });

  it('never holds a secret or a token', async () => {
    const name = newTag();
    await run(api, ['putSecret', { name, value: `${PLANTED}-audited` }], { reason: 'new' });
    const { secret } = await run(api, ['issueToken', { input: { name, subject: name, scopes: ['audit:read'] } }]);
    const rows = await api.database.psql`SELECT row_to_json(c)::text AS row FROM changes AS c`;
    const text = rows.map(({ row }) => row).join('\n');
    expect(text).toContain(name);
    const forms = [PLANTED, secret].flatMap((plain) => [
      plain,
      Buffer.from(plain).toString('hex'),
      Buffer.from(plain).toString('base64').slice(0, -4),
    ]);
    expect(forms.filter((form) => text.includes(form))).toEqual([]);
  });

  it('is not written by a mutation that is refused, rehearsed or replayed', async () => {
    const name = newTag();
    await put(name, 1, { dryRun: true });
    await put(name, 1, { idempotencyKey: name });
    await put(name, 1, { idempotencyKey: name });
    await put(name, 2, { expectedVersion: '1' });
    expect((await changes({ key: name })).edges).toHaveLength(1);
  });
});

describe('operators’ hand on the cache', () => {
  const upkeep = (field: string, view: string, keys: string[] | null) =>
    api.ask(
      `mutation ($view: String!, $keys: [String!]) { ${field}(view: $view, keys: $keys) { __typename ... on UserError { message } } }`,
      { subject: 'op', scopes: ['cache:write'] },
      { view, keys },
    );

  it('is in the log under the view: what was to be refreshed or purged', async () => {
    await upkeep('refreshCache', 'account', ['one', 'two', 'one']);
    await upkeep('purgeCache', 'account', null);
    const [purged, refreshed] = (await changes({ key: 'account', domain: 'CACHE_POLICY' })).edges;
    expect(purged.node).toMatchObject({ actor: 'op', action: 'purgeCache', after: { keys: 'all' } });
    expect(refreshed.node).toMatchObject({ action: 'refreshCache', after: { keys: 2, first: ['one', 'two'] } });
  });

  it('shows of the digest of a token its beginning only', async () => {
    const digest = 'abcdef0123456789'.repeat(4);
    await upkeep('purgeCache', 'token', [digest]);
    expect((await changes({ key: 'token' })).edges[0].node.after).toEqual({ keys: 1, first: ['abcdef01…'] });
  });

  it('leaves no row where it is refused', async () => {
    const before = await api.database.psql`SELECT FROM changes`;
    for (const [view, keys] of [
      ['no such view', null],
      ['menu', ['\u0000']],
      ['menu', ['\ud800']],
    ] as const) {
      expect((await upkeep('purgeCache', view, keys && [...keys])).data.purgeCache.__typename).toBe('ValidationError');
    }
    expect((await api.database.psql`SELECT FROM changes`).length).toBe(before.length);
  });

  it('does nothing where the log cannot be written', async () => {
    const name = newTag();
    await run(api, ['saveMenu', { input: { key: name, title: 'T', items: [] } }]);
    const stands = async () => {
      await api.ask(`query ($key: String!) { menu(key: $key) { title } }`, {}, { key: name });
      return (await api.gateway.services.cache.inspect('menu', `${name}:en`))?.state === 'fresh';
    };
    await eventually(stands);
    const { db } = api.gateway.services;
    const broken = Object.assign(Object.create(db), { transaction: () => Promise.reject(new Error('no log')) });
    const { errors } = await api.ask(
      `mutation ($keys: [String!]) { purgeCache(view: "menu", keys: $keys) { __typename } }`,
      { scopes: ['cache:write'], services: { db: broken } },
      { keys: [`${name}:en`] },
    );
    expect(errors).toHaveLength(1);
    expect((await api.gateway.services.cache.inspect('menu', `${name}:en`))?.state).toBe('fresh');
  });
});

describe('a page', () => {
  it('goes from the newest to the oldest, without gaps or repeats, and ends', async () => {
    const name = newTag();
    const written: string[] = [];
    for (let limit = 0; limit < 7; limit++) written.unshift((await put(name, limit)).receipt.changeId);
    expect(await pages({ key: name }, 3)).toEqual([written.slice(0, 3), written.slice(3, 6), written.slice(6)]);
    const all = await pages({}, 100);
    expect(new Set(all.flat()).size).toBe(all.flat().length);
  });

  it('keeps its order where the places in the log gain a digit', async () => {
    const name = newTag();
    await api.database.psql`SELECT setval('changes_sequence_seq', 999997)`;
    const written: string[] = [];
    for (let limit = 0; limit < 5; limit++) written.unshift((await put(name, limit)).receipt.changeId);
    expect(await pages({ key: name }, 2)).toEqual([written.slice(0, 2), written.slice(2, 4), written.slice(4)]);
  });

  it('does not shift when something is written meanwhile', async () => {
    const name = newTag();
    const written = [];
    for (let limit = 0; limit < 4; limit++) written.unshift((await put(name, limit)).receipt.changeId);
    const first = await changes({ key: name, first: 2 });
    await put(name, 99);
    const second = await changes({ key: name, first: 2, after: first.pageInfo.endCursor });
    expect(second.edges.map(({ node }: { node: { id: string } }) => node.id)).toEqual(written.slice(2));
    expect(second.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  it('is of one domain, of one key, or of both', async () => {
    const name = newTag();
    await put(name, 1);
    await run(api, ['saveEnvironment', { key: name, public: true }]);
    const of = async (args: object) =>
      (await changes(args)).edges.map(({ node }: { node: { action: string } }) => node.action);
    expect(await of({ key: name })).toEqual(['saveEnvironment', 'putParameter']);
    expect(await of({ key: name, domain: 'FLAG' })).toEqual(['saveEnvironment']);
    expect(await of({ key: name, domain: 'MENU' })).toEqual([]);
    const { edges } = await changes({ domain: 'FLAG', first: 100 });
    expect(edges.length).toBeGreaterThan(0);
    expect(edges.every(({ node }: { node: { domain: string } }) => node.domain === 'FLAG')).toBe(true);
  });

  it.each([0, -1, 101])('of %i is refused', async (first) => {
    expect((await ask({ first })).errors).toEqual([
      { code: 'BAD_REQUEST', message: expect.stringContaining('1 to 100') },
    ]);
  });

  it('does not accept a cursor of another listing, of other arguments, or one that was made up', async () => {
    const name = newTag();
    await put(name, 1);
    await put(name, 2);
    const { endCursor } = (await changes({ key: name, first: 1 })).pageInfo;
    const foreign = await ask({ key: name, after: endCursor }, auditor, other);
    const flipped = `${endCursor.slice(0, -1)}${endCursor.endsWith('A') ? 'B' : 'A'}`;
    const answers = await Promise.all([
      ask({ key: `${name}x`, after: endCursor }),
      ask({ domain: 'SECURITY_VALUE', key: name, after: endCursor }),
      ask({ after: endCursor }),
      ...[flipped, 'AAAA', '1', '%', Buffer.from('["1"]').toString('base64url')].map((after) =>
        ask({ key: name, after }),
      ),
    ]);
    for (const { errors } of answers) expect(errors.map(({ code }) => code)).toEqual(['BAD_REQUEST']);
    expect(foreign.errors).toEqual([]); // the same key of signatures: another gateway of the installation goes on
    expect(foreign.data.changes.edges).toEqual([]);
  });

  it.each(['\u0000', '\ud800', 'x'.repeat(1_001)])('of a key that none has is refused: %j', async (key) => {
    expect((await ask({ key })).errors.map(({ code }) => code)).toEqual(['BAD_REQUEST']);
  });

  it('is for audit:read alone, and told in the trace as read from SQL', async () => {
    expect((await ask({}, {})).errors.map(({ code }) => code)).toEqual(['UNAUTHENTICATED']);
    const operator = { scopes: ['cache:read', 'cache:write', 'security:read', 'tokens:read'] };
    expect((await ask({}, operator)).errors.map(({ code }) => code)).toEqual(['FORBIDDEN']);
    const viewer = { subject: 'auditor', scopes: new Set(['audit:read']), tokenId: null };
    const ctx = contextOfViewer(api.gateway.services, viewer, true);
    await listChanges(ctx, {});
    expect(traceOf(ctx)).toMatchObject([{ view: 'changes', outcome: 'BYPASS' }]);
  });

  it('is found by an index in its order: whole, by domain, by key', async () => {
    const rows = await api.database.psql`SELECT indexdef FROM pg_indexes WHERE tablename = 'changes'`;
    const columns = rows.map(({ indexdef }) => /\((.*)\)/.exec(indexdef)?.[1]);
    expect(columns).toEqual(expect.arrayContaining(['sequence', 'domain, sequence', 'key, sequence']));
  });
});
