// What moving an item promises, asked through GraphQL.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, type Caller, startApi, withoutRelays } from '../support/api.js';

const editor = { scopes: ['menus:read', 'menus:write'] };

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

interface Item {
  readonly key: string;
  readonly label: string;
  readonly children?: readonly Item[];
}

const item = (key: string, ...children: readonly Item[]): Item => ({ key, label: key, children });

const save = async (key: string, items: readonly Item[]) =>
  (
    await api.ask(
      `mutation ($input: SaveMenuInput!) { saveMenu(input: $input) {
        ... on SaveMenuPayload { menu { version } } ... on UserError { message } } }`,
      editor,
      { input: { key, title: key, items } },
    )
  ).data.saveMenu.menu;

const move = async (args: object, caller: Caller = editor) =>
  (
    await api.ask(
      `mutation ($key: String!, $locale: String, $item: String!, $parent: String, $position: Int!, $options: WriteOptions) {
        moveMenuItem(key: $key, locale: $locale, item: $item, parent: $parent, position: $position, options: $options) {
          ... on MoveMenuItemPayload { receipt { visible version } menu { version flatItems { key parentKey position } } }
          ... on UserError { __typename message path }
          ... on ConflictError { currentVersion } ... on ForbiddenError { requiredScope } } }`,
      caller,
      { locale: 'en', ...args },
    )
  ).data.moveMenuItem;

interface Flat {
  readonly key: string;
  readonly parentKey: string | null;
  readonly position: number;
}
const printed = (items: readonly Flat[]) =>
  items.map(({ key, parentKey, position }) => `${parentKey ?? ''}/${key}@${position}`).join(' ');

const orderOf = async (key: string) =>
  printed((await api.ask(`{ menu(key: "${key}") { flatItems { key parentKey position } } }`)).data.menu.flatItems);

describe('an item', () => {
  it.each([
    ['to the front', 'c', null, 0, '/c@0 /a@1 /b@2 b/b1@0 b/b2@1'],
    ['to the end', 'a', null, 2, '/b@0 b/b1@0 b/b2@1 /c@1 /a@2'],
    ['to where it stands', 'b', null, 1, '/a@0 /b@1 b/b1@0 b/b2@1 /c@2'],
    ['among its siblings', 'b1', 'b', 1, '/a@0 /b@1 b/b2@0 b/b1@1 /c@2'],
    ['under an item without children', 'c', 'a', 0, '/a@0 a/c@0 /b@1 b/b1@0 b/b2@1'],
    ['between children of another', 'c', 'b', 1, '/a@0 /b@1 b/b1@0 b/c@1 b/b2@2'],
    ['with all that lies below it', 'b', 'a', 0, '/a@0 a/b@0 b/b1@0 b/b2@1 /c@1'],
    ['to the top level', 'b1', null, 3, '/a@0 /b@1 b/b2@0 /c@2 /b1@3'],
  ])('moves %s', async (_, what, parent, position, order) => {
    await save('moves', [item('a'), item('b', item('b1'), item('b2')), item('c')]);
    const { receipt, menu } = await move({ key: 'moves', item: what, parent, position });
    expect(receipt).toEqual({ visible: true, version: menu.version });
    expect(printed(menu.flatItems)).toBe(order);
    expect(await orderOf('moves')).toBe(order);
  });

  it('that moves to where it stands changes nothing, however often', async () => {
    const { version } = await save('same', [item('a'), item('b')]);
    for (const _ of [1, 2]) {
      expect((await move({ key: 'same', item: 'b', position: 1 })).menu.version).toBe(version);
    }
  });

  it('takes a place among items that the mover does not see', async () => {
    await save('hidden', [item('a'), { ...item('secret'), requiredScope: 'cache:write' } as Item, item('b')]);
    await move({ key: 'hidden', item: 'a', position: 1 });
    const { data } = await api.ask(`{ menuDefinition(key: "hidden") { items { key } } }`, editor);
    expect(data.menuDefinition.items.map(({ key }: Item) => key)).toEqual(['secret', 'a', 'b']);
  });

  it('is where it was moved to on every gateway once that is acknowledged', async () => {
    await save('both', [item('a'), item('b')]);
    const other = await startApi({ database: api.database });
    try {
      await other.ask(`{ menu(key: "both") { title } }`);
      const { receipt } = await withoutRelays(() => move({ key: 'both', item: 'b', position: 0 }));
      const { data, trace } = await other.ask(`{ menu(key: "both") { version items { key } } }`);
      expect(data.menu).toEqual({ version: receipt.version, items: [{ key: 'b' }, { key: 'a' }] });
      expect(trace.map(({ outcome }) => outcome)).toEqual(['HIT']);
    } finally {
      await other.close();
    }
  });

  it('leaves an audit row of where it stood and stands', async () => {
    await save('audit', [item('a', item('a1')), item('b')]);
    await move({ key: 'audit', item: 'a1', parent: 'b', position: 0, options: { reason: 'tidying' } });
    const [row] = await api.database.psql`
      SELECT action, key, reason, before, after FROM changes ORDER BY sequence DESC LIMIT 1`;
    expect(row).toEqual({
      action: 'moveMenuItem',
      key: 'audit:en',
      reason: 'tidying',
      before: { item: 'a1', parent: 'a', position: 0 },
      after: { item: 'a1', parent: 'b', position: 0 },
    });
  });
});

describe('is refused, naming the item', () => {
  const chain = (from: number, to: number): Item => item(`l${from}`, ...(from < to ? [chain(from + 1, to)] : []));
  beforeAll(async () => {
    await save('refuse', [item('a', item('b', item('c'))), item('x', item('y')), chain(1, 12)]);
  });

  it.each([
    ['a move under the item itself', { item: 'a', parent: 'a', position: 0 }, 'parent', '"a"'],
    ['a move under what lies below the item', { item: 'a', parent: 'c', position: 0 }, 'parent', '"c"'],
    ['a move below the twelfth level', { item: 'y', parent: 'l12', position: 0 }, 'parent', '"y"'],
    ['a move that takes what lies below there', { item: 'a', parent: 'l10', position: 0 }, 'parent', '"a"'],
    ['a position below zero', { item: 'x', position: -1 }, 'position', '"x"'],
    ['a position beyond the last', { item: 'x', position: 3 }, 'position', '0 to 2'],
  ])('%s', async (_, args, path, name) => {
    const before = await orderOf('refuse');
    const refused = await move({ key: 'refuse', ...args });
    expect(refused).toMatchObject({ __typename: 'ValidationError', path: [path] });
    expect(refused.message).toContain(name);
    expect(await orderOf('refuse')).toBe(before);
  });

  it.each([
    ['an item that is not there', { key: 'refuse', item: 'nope', position: 0 }, 'item'],
    ['a parent that is not there', { key: 'refuse', item: 'x', parent: 'nope', position: 0 }, 'parent'],
    ['a menu that is not there', { key: 'nowhere', item: 'x', position: 0 }, 'key'],
    ['a locale that the menu lacks', { key: 'refuse', locale: 'pt', item: 'x', position: 0 }, 'key'],
  ])('%s', async (_, args, path) => {
    expect(await move(args)).toMatchObject({ __typename: 'NotFoundError', path: [path] });
  });

  it('a move of a menu that has changed since', async () => {
    const { version } = await save('stale', [item('a'), item('b')]);
    const moved = await move({ key: 'stale', item: 'b', position: 0, options: { expectedVersion: version } });
    const stale = await move({ key: 'stale', item: 'a', position: 0, options: { expectedVersion: version } });
    expect(stale).toMatchObject({ __typename: 'ConflictError', currentVersion: moved.menu.version });
  });

  it('a move without menus:write', async () => {
    const refused = await move({ key: 'refuse', item: 'x', position: 0 }, { scopes: ['menus:read'] });
    expect(refused).toMatchObject({ __typename: 'ForbiddenError', requiredScope: 'menus:write' });
  });
});

it('two moves at a time follow each other: neither makes a cycle with the other', async () => {
  for (let at = 0; at < 5; at++) {
    await save('race', [item('a'), item('b')]);
    const outcomes = await Promise.all([
      move({ key: 'race', item: 'a', parent: 'b', position: 0 }),
      move({ key: 'race', item: 'b', parent: 'a', position: 0 }),
    ]);
    expect(outcomes.map(({ __typename = 'moved' }) => __typename).sort()).toEqual(['ValidationError', 'moved']);
    expect(await orderOf('race')).toMatch(/^\/(a@0 a\/b@0|b@0 b\/a@0)$/);
  }
});

it('items that a careless hand has made their own ancestors are not shown, and can be moved out', async () => {
  await save('cycle', [item('a'), item('b', item('c'))]);
  await api.database.psql`
    UPDATE menu_items SET parent_key = 'c' FROM menus WHERE menus.id = menu_id AND menus.key = 'cycle' AND menu_items.key = 'b'`;
  await api.database.psql`SELECT cache_barrier('30 seconds')`;
  expect(await orderOf('cycle')).toBe('/a@0');
  expect(await move({ key: 'cycle', item: 'a', parent: 'b', position: 0 })).toMatchObject({ path: ['parent'] });
  const { menu } = await move({ key: 'cycle', item: 'b', position: 1 });
  expect(printed(menu.flatItems)).toBe('/a@0 /b@1 b/c@0');
});
