// For how long the answer of a whole gateway may be kept outside: as what it read allows.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepingOf, standingOf, traceOf } from '../../src/caller.js';
import { type Context, contextOfViewer, NOBODY } from '../../src/resolvers/index.js';
import { codedError, schema } from '../../src/schema/index.js';
import { type Api, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { type Gateway, startEdgeOf } from './gateway.js';

const documents = {
  menu: '{ menu(key: "kept") { title } }',
  both: '{ menu(key: "kept") { title } statement(account: "none") { date } }',
  nothing: '{ __typename }',
  listing: '{ menuList { edges { cursor } } }',
};
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const hidden = { subject: 'ana', scopes: new Set(['menus:read', 'statements:read']), tokenId: 'id' };

let api: Api;
let gateway: Gateway;
beforeAll(async () => {
  api = await startApi({ ttlMs: new Map([['menu', 100_000]]) });
  const input = { key: 'kept', title: 'Kept', items: [] };
  await api.ask(
    'mutation ($input: SaveMenuInput!) { saveMenu(input: $input) { __typename } }',
    { scopes: ['menus:read', 'menus:write'] },
    { input },
  );
  gateway = await startEdgeOf<Context>({
    schema,
    codedError,
    traceOf,
    standingOf,
    contextOf: async ({ authorization }) =>
      contextOfViewer(api.gateway.services, authorization ? hidden : NOBODY, false),
    keepingOf: (ctx) => keepingOf(ctx, 1_000),
    trusted: new Map(Object.values(documents).map((text) => [hashOf(text), text])),
  });
});
afterAll(async () => {
  await gateway.close();
  await api.close();
});

const keptBy = async (name: keyof typeof documents, headers = {}) => {
  const response = await gateway.get({ documentId: hashOf(documents[name]) }, headers);
  return [response.status, response.headers.get('cache-control')];
};

const secondsOf = (kept: unknown) => Number(/max-age=(\d+)/.exec(String(kept))?.[1]);

it('no longer than an entry that was read lives on', async () => {
  let kept: unknown;
  await eventually(async () => {
    [, kept] = await keptBy('menu');
    return secondsOf(kept) > 0; // 0 while the cache is in doubt
  });
  expect(kept).toMatch(/^public, max-age=\d+, must-revalidate$/);
  expect(secondsOf(kept)).toBeLessThanOrEqual(100);
});

it('by its caller alone, where somebody in particular asked', async () => {
  expect((await keptBy('menu', { authorization: 'Bearer x' }))[1]).toMatch(/^private, max-age=\d+, /);
});

it.each([
  ['a strict entry', 'both', { authorization: 'Bearer x' }, 'private, max-age=0, must-revalidate'],
  ['what was asked of SQL', 'listing', { authorization: 'Bearer x' }, 'private, max-age=0, must-revalidate'],
  ['nothing', 'nothing', {}, 'public, max-age=0, must-revalidate'],
] as const)('not without asking, where %s was read', async (_, name, headers, expected) => {
  expect(await keptBy(name, headers)).toEqual([200, expected]);
});
