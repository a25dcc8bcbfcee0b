// What menus promise, asked through GraphQL.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi, withoutRelays } from '../support/api.js';

const editor = { scopes: ['menus:read', 'menus:write'] };

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const SAVE = `mutation ($input: SaveMenuInput!, $options: WriteOptions) {
  saveMenu(input: $input, options: $options) {
    __typename
    ... on SaveMenuPayload { receipt { changeId version visible dryRun } menu { key locale title version itemCount } }
    ... on UserError { code message path }
    ... on ConflictError { currentVersion }
    ... on ForbiddenError { requiredScope }
  }
}`;

const save = async (input: object, options: object | null = null, caller: { scopes: string[] } = editor) =>
  (await api.ask(SAVE, caller, { input, options })).data.saveMenu;

const tree = (keys: readonly string[]) => keys.map((key) => ({ key, label: key.toUpperCase() }));

describe('reading', () => {
  it('answers the whole tree, positions and depths counted among what the caller sees', async () => {
    await save({
      key: 'shop',
      title: 'Shop',
      items: [
        {
          key: 'a',
          label: 'A',
          url: '/a',
          children: [
            { key: 'a1', label: 'A1' },
            { key: 'a2', label: 'A2' },
          ],
        },
        { key: 'secret', label: 'S', requiredScope: 'menus:write' },
        { key: 'b', label: 'B' },
      ],
    });
    const { data } = await api.ask(
      `{ menu(key: "shop") { itemCount flatItems { key position depth parentKey } items { key children { key url } } } }`,
    );
    expect(data.menu.itemCount).toBe(4);
    expect(data.menu.flatItems).toEqual([
      { key: 'a', position: 0, depth: 1, parentKey: null },
      { key: 'a1', position: 0, depth: 2, parentKey: 'a' },
      { key: 'a2', position: 1, depth: 2, parentKey: 'a' },
      { key: 'b', position: 1, depth: 1, parentKey: null },
    ]);
    const seen = await api.ask(`{ menu(key: "shop") { itemCount } }`, editor);
    expect(seen.data.menu.itemCount).toBe(5);
  });

  it('falls back from pt-BR to pt to en, and says which locale it found', async () => {
    await save({ key: 'fall', title: 'English', items: [] });
    const ask = async () => (await api.ask(`{ menu(key: "fall", locale: "pt-br") { locale title } }`)).data.menu;
    expect(await ask()).toEqual({ locale: 'en', title: 'English' });
    await save({ key: 'fall', locale: 'pt', title: 'Português', items: [] });
    expect(await ask()).toEqual({ locale: 'pt', title: 'Português' });
    await save({ key: 'fall', locale: 'pt-BR', title: 'Brasileiro', items: [] });
    expect(await ask()).toEqual({ locale: 'pt-BR', title: 'Brasileiro' });
    expect((await api.ask(`{ menu(key: "no-such-menu", locale: "pt-BR") { title } }`)).data.menu).toBeNull();
  });

  it('shows an item from visibleFrom until visibleUntil, to the millisecond, out of the same cached entry', async () => {
    const from = '2030-01-01T00:00:00.000Z';
    const until = '2030-01-02T00:00:00.000Z';
    await save({
      key: 'launch',
      title: 'L',
      items: [{ key: 'new', label: 'N', visibleFrom: from, visibleUntil: until }],
    });
    const countAt = async (nowMs: number) =>
      (await api.ask(`{ menu(key: "launch") { itemCount } }`, { nowMs })).data.menu.itemCount;
    expect(await countAt(Date.parse(from) - 1)).toBe(0);
    expect(await countAt(Date.parse(from))).toBe(1);
    expect(await countAt(Date.parse(until) - 1)).toBe(1);
    expect(await countAt(Date.parse(until))).toBe(0);
    const { data } = await api.ask(
      `{ menuDefinition(key: "launch") { items { visibleFrom visibleUntil requiredScope } } }`,
      editor,
    );
    expect(data.menuDefinition.items).toEqual([{ visibleFrom: from, visibleUntil: until, requiredScope: null }]);
  });

  it('costs one round-trip and one statement for twenty cold menus, and one round-trip for warm ones', async () => {
    const keys = Array.from({ length: 20 }, (_, at) => `batch-${at}`);
    for (const key of keys) await save({ key, title: key, items: tree(['x']) });
    await api.database.psql`UPDATE menus SET title = title || '!' WHERE key LIKE 'batch-%'`;
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    const read = async () => {
      api.events.length = 0;
      const { data } = await api.ask(`query ($keys: [String!]!) { menus(keys: $keys) { title } }`, {}, { keys });
      expect(data.menus).toEqual(keys.map((key) => ({ title: `${key}!` })));
      return api.events.map(({ kind }) => kind);
    };
    const cold = await read();
    expect(cold.filter((kind) => kind === 'flush')).toHaveLength(1);
    expect(cold.filter((kind) => kind === 'loaded')).toHaveLength(1);
    const warm = await read();
    expect(warm.filter((kind) => kind === 'flush')).toHaveLength(1);
    expect(warm.filter((kind) => kind === 'loaded')).toHaveLength(0);
    expect(warm.filter((kind) => kind === 'hit')).toHaveLength(20);
  });

  it('lists menus by keyset pages whose cursors fit no other list', async () => {
    const page = async (first: number, after?: string) =>
      (
        await api.ask(
          `query ($first: Int, $after: String) { menuList(first: $first, after: $after) {
            edges { cursor node { key locale } } pageInfo { hasNextPage endCursor } } }`,
          {},
          { first, after },
        )
      ).data.menuList;
    const all = (await page(100)).edges.map((edge: { node: object }) => edge.node);
    const seen: object[] = [];
    let after: string | undefined;
    do {
      const { edges, pageInfo } = await page(7, after);
      seen.push(...edges.map((edge: { node: object }) => edge.node));
      after = pageInfo.hasNextPage ? pageInfo.endCursor : undefined;
    } while (after);
    expect(seen).toEqual(all);
    const forged = await api.ask(`{ menuList(after: "AAAAAAAAAAAAAAAAAAAAAFsiYSIsImIiXQ") { edges { cursor } } }`);
    expect(forged.errors[0]?.code).toBe('BAD_REQUEST');
  });

  it('reads a menu by its global id too', async () => {
    const { data } = await api.ask(`{ menu(key: "fall", locale: "pt") { id } }`);
    const node = await api.ask(
      `query ($id: ID!) { node(id: $id) { __typename id ... on Menu { title } } }`,
      {},
      data.menu,
    );
    expect(node.data.node).toEqual({ __typename: 'Menu', id: data.menu.id, title: 'Português' });
  });
});

describe('writing', () => {
  it('is visible to every gateway once acknowledged, with the new value in Redis', async () => {
    const other = await startApi({ database: api.database });
    try {
      await other.ask(`{ menu(key: "shop") { title } }`);
      const written = await withoutRelays(() => save({ key: 'shop', title: 'New shop', items: [] }));
      expect(written.receipt).toMatchObject({ visible: true, dryRun: false });
      const { data, trace } = await other.ask(`{ menu(key: "shop") { title version } }`);
      expect(data.menu).toEqual({ title: 'New shop', version: written.receipt.version });
      expect(trace.map(({ outcome }) => outcome)).toEqual(['HIT']);
    } finally {
      await other.close();
    }
  });

  it('renames one item', async () => {
    await save({ key: 'ren', title: 'R', items: tree(['x', 'y']) });
    const rename = (item: string, label: string) =>
      api.ask(
        `mutation ($item: String!, $label: String!) { renameMenuItem(key: "ren", item: $item, label: $label) {
          __typename ... on RenameMenuItemPayload { menu { items { label } } } ... on UserError { code path } } }`,
        editor,
        { item, label },
      );
    expect((await rename('x', 'Ex')).data.renameMenuItem.menu.items).toEqual([{ label: 'Ex' }, { label: 'Y' }]);
    expect((await rename('nope', 'N')).data.renameMenuItem).toEqual({
      __typename: 'NotFoundError',
      code: 'NOT_FOUND',
      path: ['item'],
    });
    expect((await rename('x', '  ')).data.renameMenuItem.__typename).toBe('ValidationError');
  });

  it('deletes a menu, which then is known not to exist', async () => {
    await save({ key: 'gone', title: 'G', items: tree(['x']) });
    const remove = () => api.ask(`mutation { deleteMenu(key: "gone") { __typename } }`, editor);
    expect((await withoutRelays(remove)).data.deleteMenu.__typename).toBe('DeleteMenuPayload');
    const { data, trace } = await api.ask(`{ menu(key: "gone") { title } }`);
    expect(data.menu).toBeNull();
    expect(trace.map(({ outcome }) => outcome)).toEqual(['HIT']);
    expect((await remove()).data.deleteMenu.__typename).toBe('NotFoundError');
  });

  it('refuses a version that no longer stands, and says which one does', async () => {
    const { receipt } = await save({ key: 'ver', title: 'V', items: [] });
    await save({ key: 'ver', title: 'W', items: [] }, { expectedVersion: receipt.version });
    const conflict = await save({ key: 'ver', title: 'X', items: [] }, { expectedVersion: receipt.version });
    const current = (await api.ask(`{ menu(key: "ver") { title version } }`)).data.menu;
    expect(current.title).toBe('W');
    expect(conflict).toMatchObject({ __typename: 'ConflictError', currentVersion: current.version });
  });

  it('keeps an audit row of each write, and none of a refused one', async () => {
    const before = await api.database.psql`SELECT count(*)::int AS count FROM changes`;
    await save({ key: 'aud', title: 'A', items: [] }, { reason: 'because' });
    await save({ key: 'aud', title: '', items: [] });
    const rows = await api.database
      .psql`SELECT action, domain, key, actor, reason FROM changes ORDER BY sequence DESC LIMIT 1`;
    const after = await api.database.psql`SELECT count(*)::int AS count FROM changes`;
    expect(after[0]?.count).toBe(before[0]?.count + 1);
    expect(rows[0]).toEqual({ action: 'saveMenu', domain: 'MENU', key: 'aud:en', actor: 'tester', reason: 'because' });
  });

  it('shows what psql changes, without a restart or a mutation', async () => {
    await save({ key: 'psql', title: 'P', items: tree(['x']) });
    await api.ask(`{ menu(key: "psql") { items { label } } }`);
    await api.database
      .psql`UPDATE menu_items SET label = 'by hand' FROM menus WHERE menus.id = menu_id AND menus.key = 'psql'`;
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    expect((await api.ask(`{ menu(key: "psql") { items { label } } }`)).data.menu.items).toEqual([
      { label: 'by hand' },
    ]);
  });

  const deep = (levels: number): object => ({
    key: `l${levels}`,
    label: 'L',
    children: levels > 1 ? [deep(levels - 1)] : [],
  });
  const item = (rest: object) => [{ key: 'x', label: 'X', ...rest }];
  const refusals: [string, object, string[]][] = [
    ['a key with blanks', { key: 'a b' }, ['input', 'key']],
    ['an empty title', { title: ' ' }, ['input', 'title']],
    ['a locale that is none', { locale: 'not a locale' }, ['input', 'locale']],
    [
      'a key that is there twice',
      { items: [...item({}), { key: 'y', label: 'Y', children: item({}) }] },
      ['input', 'items', '1', 'children', '0', 'key'],
    ],
    [
      'more than 12 levels',
      { items: [deep(13)] },
      ['input', 'items', ...Array.from({ length: 12 }, () => ['0', 'children']).flat(), '0'],
    ],
    ['javascript: URLs', { items: item({ url: 'javascript:alert(1)' }) }, ['input', 'items', '0', 'url']],
    ['javascript: URLs in capitals', { items: item({ url: 'JaVaScRiPt:alert(1)' }) }, ['input', 'items', '0', 'url']],
    [
      'javascript: URLs with a tab in them',
      { items: item({ url: 'java\tscript:alert(1)' }) },
      ['input', 'items', '0', 'url'],
    ],
    ['data: URLs', { items: item({ url: 'data:text/html,x' }) }, ['input', 'items', '0', 'url']],
    ['URLs that inherit the scheme', { items: item({ url: '//evil.example' }) }, ['input', 'items', '0', 'url']],
    [
      'windows that end before they begin',
      { items: item({ visibleFrom: '2030-01-02T00:00:00Z', visibleUntil: '2030-01-01T00:00:00Z' }) },
      ['input', 'items', '0', 'visibleUntil'],
    ],
    ['scopes that do not exist', { items: item({ requiredScope: 'root' }) }, ['input', 'items', '0', 'requiredScope']],
  ];
  for (const [what, input, path] of refusals) {
    it(`refuses ${what}, naming the place`, async () => {
      const refused = await save({ key: 'bad', title: 'Bad', items: [], ...input });
      expect(refused).toMatchObject({ __typename: 'ValidationError', path });
      expect(refused.message).toMatch(/[.]$/);
      expect((await api.ask(`{ menu(key: "bad") { title } }`)).data?.menu ?? null).toBeNull();
    });
  }

  it.each([
    ['javascript:alert(1)'],
    ['\tjavascript:alert(1)'],
    [' javascript:alert(1)'],
    ['java\u0000script:alert(1)'],
    ['javascript\u2028:alert(1)'],
    ['%6aavascript:alert(1)'],
    ['vbscript:x'],
    ['data:text/html;base64,PHNjcmlwdD4='],
    ['blob:https://example.com/x'],
    ['file:///etc/passwd'],
    ['view-source:https://example.com'],
    ['//evil.example/x'],
    ['/\\evil.example'],
    ['\\\\evil.example'],
    ['/\t/evil.example'],
    ['https://'],
    ['https://exa mple.com'],
    [''],
    [`/${'x'.repeat(2_000)}`],
  ])('refuses the URL %j, naming the item', async (url) => {
    const refused = await save({ key: 'bad', title: 'Bad', items: item({ url }) });
    expect(refused).toMatchObject({ __typename: 'ValidationError', path: ['input', 'items', '0', 'url'] });
    expect(refused.message).toContain('Item "x"');
  });

  it.each([
    ['an empty label', { label: '' }],
    ['a label of blanks', { label: ' \u00a0 ' }],
    ['a label with a line break', { label: 'a\nb' }],
    ['a label too long', { label: 'x'.repeat(501) }],
    ['a scope that does not exist', { requiredScope: 'menus' }],
    ['a key that is there twice', { children: item({}) }],
  ])('refuses %s, naming the item', async (_, rest) => {
    const refused = await save({ key: 'bad', title: 'Bad', items: item(rest) });
    expect(refused.__typename).toBe('ValidationError');
    expect(refused.message).toContain('"x"');
  });

  it('refuses more than 2,000 items in one mutation, and says that larger menus are imported', async () => {
    const many = Array.from({ length: 2_001 }, (_, at) => ({ key: `k${at}`, label: 'K' }));
    expect((await save({ key: 'many', title: 'M', items: many })).message).toContain('espelho import menus');
    expect((await save({ key: 'many', title: 'M', items: many.slice(1) })).menu.itemCount).toBe(2_000);
  });

  it('takes twelve levels, and mailto, tel, https and relative URLs', async () => {
    const urls = [
      'https://example.com/a?b#c',
      'mailto:a@example.com',
      'tel:+551199999',
      '/path',
      '#top',
      '?q=1',
      'page/x:y',
    ];
    const items = [deep(12), ...urls.map((url, at) => ({ key: `u${at}`, label: 'U', url }))];
    expect((await save({ key: 'good', title: 'Good', items })).__typename).toBe('SaveMenuPayload');
  });

  it('needs menus:write: without a token UNAUTHENTICATED, with another one ForbiddenError', async () => {
    const input = { key: 'shop', title: 'X', items: [] };
    const nobody = await api.ask(SAVE, {}, { input });
    expect(nobody.errors[0]?.code).toBe('UNAUTHENTICATED');
    expect(await save(input, null, { scopes: ['menus:read'] })).toMatchObject({
      __typename: 'ForbiddenError',
      requiredScope: 'menus:write',
    });
    const definition = await api.ask(`{ menuDefinition(key: "shop") { title } }`);
    expect(definition.errors[0]?.code).toBe('UNAUTHENTICATED');
  });
});
