// Which flags nobody evaluates any more: counted apart from the flags, seldom written, and reported.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flagUsesOf } from '../../src/resolvers/flag-uses.js';
import { type Api, type Caller, startApi } from '../support/api.js';

const editor = { scopes: ['flags:read', 'flags:write', 'flags:evaluate'] };
const reader = { scopes: ['flags:read'] };
const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };
const DAY_MS = 86_400_000;

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

async function fill(environment: string, keys: readonly string[]): Promise<void> {
  await api.ask(`mutation { saveEnvironment(key: "${environment}", public: true) { __typename } }`, editor);
  for (const key of keys) {
    const input = { environment, key, enabled: true, definition: onOff };
    await api.ask('mutation ($input: SaveFlagInput!) { saveFlag(input: $input) { __typename } }', editor, { input });
  }
}
const evaluate = (environment: string, key: string, caller: Caller = {}) =>
  api.ask(`{ evaluateFlag(environment: "${environment}", key: "${key}") { value } }`, caller);
const flush = () => flagUsesOf(api.gateway.services).flush();

interface Page {
  readonly edges: readonly {
    readonly node: { readonly flag: { readonly key: string }; readonly lastEvaluatedAt: string | null };
  }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
}
async function stale(environment: string, args: object = {}, caller: Caller = reader) {
  const document = `query ($environment: String!, $days: Int, $first: Int, $after: String) {
    staleFlags(environment: $environment, days: $days, first: $first, after: $after) {
      edges { node { lastEvaluatedAt flag { key enabled } } } pageInfo { hasNextPage endCursor } } }`;
  return api.ask(document, caller, { environment, ...args });
}
const keysOf = ({ edges }: Page) => edges.map(({ node }) => node.flag.key);

describe('the report of stale flags', () => {
  it('has what nobody has evaluated for so many days, the longest unused first', async () => {
    await fill('reported', ['used', 'unused', 'seldom']);
    const now = Date.now();
    await evaluate('reported', 'used', { nowMs: now + 40 * DAY_MS });
    await evaluate('reported', 'seldom', { nowMs: now + 5 * DAY_MS });
    await flush();
    const later = { ...reader, nowMs: now + 41 * DAY_MS };
    const { staleFlags } = (await stale('reported', {}, later)).data;
    expect(keysOf(staleFlags)).toEqual(['unused', 'seldom']);
    expect(staleFlags.edges[0].node.lastEvaluatedAt).toBeNull();
    expect(Date.parse(staleFlags.edges[1].node.lastEvaluatedAt)).toBe(now + 5 * DAY_MS);
    expect(keysOf((await stale('reported', { days: 60 }, later)).data.staleFlags)).toEqual([]);
    expect(keysOf((await stale('reported', {})).data.staleFlags)).toEqual([]);
  });

  it('leaves out what is archived, and a flag that was just made', async () => {
    await fill('archived', ['a', 'b']);
    await api.ask('mutation { archiveFlag(environment: "archived", key: "a") { __typename } }', editor);
    const later = { ...reader, nowMs: Date.now() + 31 * DAY_MS };
    expect(keysOf((await stale('archived', {}, later)).data.staleFlags)).toEqual(['b']);
    expect(keysOf((await stale('archived', { days: 1 })).data.staleFlags)).toEqual([]);
  });

  it('is paged, with cursors that fit no other report', async () => {
    const keys = Array.from({ length: 7 }, (_, at) => `k${at}`);
    await fill('paged', keys);
    const later = { ...reader, nowMs: Date.now() + 31 * DAY_MS };
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { staleFlags }: { staleFlags: Page } = (await stale('paged', { first: 3, after }, later)).data;
      seen.push(...keysOf(staleFlags));
      after = staleFlags.pageInfo.hasNextPage ? staleFlags.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen.sort()).toEqual(keys);
    const { endCursor } = (await stale('paged', { first: 3 }, later)).data.staleFlags.pageInfo;
    for (const args of [
      { after: endCursor, days: 5 },
      { after: 'forged' },
      { days: 0 },
      { days: 100_000 },
      { first: 0 },
    ]) {
      const { errors } = await stale('paged', args, later);
      expect(errors[0]).toMatchObject({ code: 'BAD_REQUEST', message: expect.stringMatching(/\.$/) });
    }
  });

  it('needs flags:read', async () => {
    expect((await stale('reported', {}, {})).errors[0]?.code).toBe('UNAUTHENTICATED');
    expect((await stale('reported', {}, { scopes: ['flags:evaluate'] })).errors[0]?.code).toBe('FORBIDDEN');
  });
});

describe('counting evaluations', () => {
  it('changes neither the flag nor what the cache holds of it', async () => {
    await fill('counted', ['a']);
    const read = () => api.ask('{ flag(environment: "counted", key: "a") { version updatedAt } }', reader);
    const before = (await read()).data;
    await evaluate('counted', 'a');
    await flush();
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    api.events.length = 0;
    const after = await read();
    expect(after.data).toEqual(before);
    expect(api.events.filter(({ kind }) => kind === 'loaded' || kind === 'dropped')).toEqual([]);
  });

  it('counts evaluations of all flags, and of a flag that is switched off', async () => {
    await fill('all', ['a', 'b']);
    await api.ask('mutation { toggleFlag(environment: "all", key: "b", enabled: false) { __typename } }', editor);
    await api.ask('{ evaluateFlags(environment: "all") { key } }');
    await flush();
    expect(await api.database.psql`SELECT key FROM flag_uses WHERE environment = 'all' ORDER BY key`).toEqual([
      { key: 'a' },
      { key: 'b' },
    ]);
  });

  it('never lets an older moment replace a newer one, and forgets flags that are gone', async () => {
    await fill('moments', ['a']);
    const now = Date.now();
    await evaluate('moments', 'a', { nowMs: now });
    await flush();
    await evaluate('moments', 'a', { nowMs: now - DAY_MS });
    flagUsesOf(api.gateway.services).note('moments', 'no-such-flag', now);
    await flush();
    const rows = await api.database.psql`SELECT key, last_evaluated_at FROM flag_uses WHERE environment = 'moments'`;
    expect([...rows]).toEqual([{ key: 'a', last_evaluated_at: new Date(now) }]);
  });
});
