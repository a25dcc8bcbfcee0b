// How a menu of thousands of items is read in parts: one level, a few levels, or one branch.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/db/index.js';
import { importMenu } from '../../src/resolvers/import/menu-import.js';
import { describeReal, realFile } from '../import/real-data.js';
import { type Api, startApi } from '../support/api.js';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const editor = { scopes: ['menus:read', 'menus:write'] };
const ask = async (document: string, caller: object = {}) => {
  const { data, errors } = await api.ask(document, caller);
  return { menu: data?.menu, errors };
};

describe('a menu is read', () => {
  beforeAll(async () => {
    const items = [
      {
        key: 'a',
        label: 'A',
        children: [
          { key: 'a1', label: 'A1', children: [{ key: 'a11', label: 'A11' }] },
          { key: 'a2', label: 'A2', requiredScope: 'menus:write', children: [{ key: 'a21', label: 'A21' }] },
        ],
      },
      { key: 'b', label: 'B' },
    ];
    await api.ask(`mutation ($input: SaveMenuInput!) { saveMenu(input: $input) { __typename } }`, editor, {
      input: { key: 'levels', title: 'L', items },
    });
  });

  it('one level: the top one, or what lies right below an item', async () => {
    const { menu } = await ask(`{ menu(key: "levels") {
      top: items { key childCount } below: items(parent: "a") { key depth position parentKey childCount } } }`);
    expect(menu.top).toEqual([
      { key: 'a', childCount: 1 },
      { key: 'b', childCount: 0 },
    ]);
    expect(menu.below).toEqual([{ key: 'a1', depth: 2, position: 0, parentKey: 'a', childCount: 1 }]);
  });

  it('a few levels, flat or nested', async () => {
    const { menu } = await ask(`{ menu(key: "levels") {
      one: flatItems(depth: 1) { key } two: flatItems(depth: 2) { key }
      branch: flatItems(parent: "a", depth: 1) { key depth } all: flatItems { key } } }`);
    const keys = (items: { key: string }[]) => items.map(({ key }) => key).join(' ');
    expect([menu.one, menu.two, menu.all].map(keys)).toEqual(['a b', 'a a1 b', 'a a1 a11 b']);
    expect(menu.branch).toEqual([{ key: 'a1', depth: 2 }]);
  });

  it('below an item that the caller may not see, or that is not there: nothing', async () => {
    const below = `{ menu(key: "levels") { a2: items(parent: "a2") { key } a21: flatItems(parent: "a21") { key }
      none: items(parent: "none") { key } } }`;
    expect((await ask(below)).menu).toEqual({ a2: [], a21: [], none: [] });
    expect((await ask(below, editor)).menu).toEqual({ a2: [{ key: 'a21' }], a21: [], none: [] });
  });

  it('never by less than one level', async () => {
    const { errors } = await ask(`{ menu(key: "levels") { flatItems(depth: 0) { key } } }`);
    expect(errors[0]?.code).toBe('BAD_REQUEST');
  });
});

const taxonomy = 'menus/shopify-taxonomy/categories.pt-BR.txt.gz';

describeReal('the public taxonomy, 10,595 items in one menu', [taxonomy], () => {
  beforeAll(async () => {
    const connection = connect({ url: api.database.url, maxReads: 1, maxWrites: 1 });
    await importMenu(connection.db, realFile(taxonomy));
    await connection.close();
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
  });
  const menu = async (selection: string) =>
    (await ask(`{ menu(key: "categories", locale: "pt-BR") { ${selection} } }`)).menu;

  it('shows its 26 roots alone', async () => {
    const { items, itemCount } = await menu('itemCount items { key childCount }');
    expect([items.length, itemCount]).toEqual([26, 10_595]);
    expect(items[0]).toEqual({ key: 'ap', childCount: expect.any(Number) });
  });

  it('shows one branch, level by level, as a browser of it asks', async () => {
    const walked: string[] = [];
    let parent: string | undefined = 'ap';
    while (parent !== undefined) {
      walked.push(parent);
      const { items }: { items: { key: string; parentKey: string; childCount: number }[] } = await menu(
        `items(parent: "${parent}") { key parentKey childCount }`,
      );
      for (const item of items) expect(item.parentKey).toBe(parent);
      parent = items.find(({ childCount }) => childCount > 0)?.key;
    }
    expect(walked.length).toBeGreaterThan(2);
  });

  it('shows two levels as a tree, the same as flat', async () => {
    const { items, flatItems } = await menu('items { key children { key } } flatItems(depth: 2) { key }');
    const nested = items.flatMap(({ key, children }: { key: string; children: { key: string }[] }) => [
      key,
      ...children.map((child) => child.key),
    ]);
    expect(flatItems.map(({ key }: { key: string }) => key)).toEqual(nested);
  });

  it('shows all of it flat, each item after its parent', async () => {
    const { flatItems } = await menu('flatItems { key parentKey depth label }');
    expect(flatItems).toHaveLength(10_595);
    const depths = new Map<string | null, number>([[null, 0]]);
    for (const { key, parentKey, depth } of flatItems) {
      expect(depth).toBe((depths.get(parentKey) ?? Number.NaN) + 1);
      depths.set(key, depth);
    }
  });

  it('has single items moved and renamed', async () => {
    const { data } = await api.ask(
      `mutation {
        moveMenuItem(key: "categories", locale: "pt-BR", item: "ap-1", position: 0) {
          ... on MoveMenuItemPayload { receipt { visible } menu { items { key } } } ... on UserError { message } }
        renameMenuItem(key: "categories", locale: "pt-BR", item: "ap", label: "Bichos") {
          ... on RenameMenuItemPayload { menu { items { key label } } } ... on UserError { message } } }`,
      editor,
    );
    expect(data.moveMenuItem.receipt.visible).toBe(true);
    expect(data.moveMenuItem.menu.items.slice(0, 2)).toEqual([{ key: 'ap-1' }, { key: 'ap' }]);
    expect(data.renameMenuItem.menu.items[1]).toEqual({ key: 'ap', label: 'Bichos' });
  });
});
