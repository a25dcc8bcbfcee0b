// Menus from nested JSON files, through the database: the public files, item by item as another reading of them says.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { ImportFailed } from '../../src/resolvers/import/errors.js';
import { importMenu, menuNamesOf } from '../../src/resolvers/import/menu-import.js';
import { espelho } from '../cli/terminal.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { versionsOf } from './entry-versions.js';
import { describeReal, realFile } from './real-data.js';

let database: TestDatabase;
let connection: Connection;
let folder: string;
beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url });
  folder = await mkdtemp(join(tmpdir(), 'menu-json-'));
});
afterAll(async () => {
  await connection.close();
  await database.close();
  await rm(folder, { recursive: true });
});

async function fileOf(name: string, content: unknown): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content instanceof Uint8Array ? content : JSON.stringify(content));
  return file;
}

interface Stored {
  readonly key: string;
  readonly parentKey: string | null;
  readonly position: number;
  readonly label: string;
  readonly url: string | null;
}

const itemsOf = async (key: string, locale: string) =>
  database.psql<Stored[]>`
    SELECT i.key, i.parent_key AS "parentKey", i.position, i.label, i.url
    FROM menus AS m JOIN menu_items AS i ON i.menu_id = m.id WHERE m.key = ${key} AND m.locale = ${locale}`;

/** The stored items as a tree of labels and addresses, in order. */
async function treeOf(key: string, locale: string) {
  const items = await itemsOf(key, locale);
  const below = (parent: string | null): Tree[] =>
    items
      .filter(({ parentKey }) => parentKey === parent)
      .sort((one, other) => one.position - other.position)
      .map((item) => [item.label, item.url, below(item.key)]);
  return below(null);
}
type Tree = [label: string, url: string | null, children: Tree[]];

const titleOf = async (key: string, locale: string) =>
  (await database.psql`SELECT title FROM menus WHERE key = ${key} AND locale = ${locale}`)[0]?.title;

describe('a menu from nested JSON', () => {
  it('is recognised by its content, gzip or not, and leaves an audit row', async () => {
    const json = { title: 'Shop', items: [{ label: 'A', url: '/a', items: [{ label: 'B' }] }] };
    const file = await fileOf('shop.pt-BR', gzipSync(JSON.stringify(json)));
    expect(await importMenu(connection.db, file)).toEqual({
      read: 2,
      written: 2,
      unchanged: 0,
      refused: 0,
      errors: [],
      changed: true,
    });
    expect(await treeOf('shop', 'pt-BR')).toEqual([['A', '/a', [['B', null, []]]]]);
    expect(await titleOf('shop', 'pt-BR')).toBe('Shop');
    const audit = await database.psql`SELECT actor, action, domain, key, after FROM changes ORDER BY sequence`;
    expect([...audit]).toEqual([
      {
        actor: 'cli',
        action: 'importMenu',
        domain: 'MENU',
        key: 'shop:pt-BR',
        after: { title: 'Shop', items: 2, written: 2, removed: 0 },
      },
    ]);
  });

  it('changes nothing when it is imported again, not even the audit log', async () => {
    const file = await fileOf('again.json', [{ label: 'A' }, { label: 'B' }]);
    await importMenu(connection.db, file);
    const before = await versionsOf(database);
    const [{ count } = { count: 0 }] = await database.psql`SELECT count(*)::int AS count FROM changes`;
    expect(await importMenu(connection.db, file)).toMatchObject({ written: 0, unchanged: 2, changed: false });
    expect(await versionsOf(database)).toEqual(before);
    expect((await database.psql`SELECT count(*)::int AS count FROM changes`)[0]?.count).toBe(count);
  });

  it('reports what it refuses by the place in the file, and takes the rest', async () => {
    const file = await fileOf('partly.json', [
      { label: 'A' },
      { label: 'B', url: 'javascript:x', items: [{ label: 'C' }] },
    ]);
    expect(await importMenu(connection.db, file)).toEqual({
      read: 3,
      written: 1,
      unchanged: 0,
      refused: 2,
      errors: [{ file, line: 0, reason: expect.stringMatching(/^\/1: Item "[^"]+" has an unsafe URL/) }],
      changed: true,
    });
  });

  it('stays as it is when the file is broken, empty, or holds no item', async () => {
    await importMenu(connection.db, await fileOf('kept.json', [{ label: 'A' }]));
    for (const content of ['{"items":[', '', '{}', '[]', 'null', '[1]']) {
      const file = await fileOf('kept.json', Buffer.from(content));
      const outcome = await importMenu(connection.db, file, { format: 'json' });
      expect(outcome).toMatchObject({ written: 0, changed: false });
      expect(outcome.errors.at(-1)?.reason).toContain('nothing was written');
    }
    expect(await treeOf('kept', 'en')).toEqual([['A', null, []]]);
  });

  it('is not written by a dry run', async () => {
    const file = await fileOf('dry.json', [{ label: 'A' }]);
    expect(await importMenu(connection.db, file, { dryRun: true })).toMatchObject({ written: 1, changed: true });
    expect(await itemsOf('dry', 'en')).toEqual([]);
  });

  it('has one locale for each file of labels, or the one that is asked for', async () => {
    const file = await fileOf('nav.json', { title: 'nav.title', items: [{ label: 'nav.a' }, { label: 'nav.b' }] });
    const labels = [
      await fileOf('en.json', { nav: { title: 'Menu', a: 'A', b: 'B' } }),
      await fileOf('messages.pt_BR.json', { nav: { title: 'Cardápio', a: 'Á' } }),
    ];
    expect(await importMenu(connection.db, file, { labels })).toMatchObject({
      read: 4,
      written: 4,
      errors: [{ line: 0, reason: '/items/1: pt-BR: "nav.b" has no text in this locale; that of en stands in.' }],
    });
    expect(await treeOf('nav', 'pt-BR')).toEqual([
      ['Á', null, []],
      ['B', null, []],
    ]);
    expect([await titleOf('nav', 'en'), await titleOf('nav', 'pt-BR')]).toEqual(['Menu', 'Cardápio']);
    expect(menuNamesOf(file, { labels, locale: 'pt-BR' })).toEqual([{ key: 'nav', locale: 'pt-BR' }]);
    expect(menuNamesOf(file, { labels: ['any.json'], locale: 'fr' })).toEqual([{ key: 'nav', locale: 'fr' }]);
  });

  it('needs label files that are JSON, each of a locale of its own', async () => {
    const file = await fileOf('nav.json', { items: [{ label: 'nav.a' }] });
    const broken = join(folder, 'de.json');
    await writeFile(broken, '{"nav":');
    await expect(importMenu(connection.db, file, { labels: [broken] })).rejects.toThrow(ImportFailed);
    await expect(importMenu(connection.db, file, { labels: [join(folder, 'fr.json')] })).rejects.toThrow(
      'does not exist',
    );
    expect(() => menuNamesOf(file, { labels: ['a/en.json', 'b/en.json'] })).toThrow('Two of the label files');
    expect(() => menuNamesOf(file, { labels: ['texts of ours.json'] })).toThrow('language tag');
    const text = join(folder, 'plain.txt');
    await writeFile(text, 'a : A\n');
    await expect(importMenu(connection.db, text, { part: 'x' })).rejects.toThrow('no JSON');
  });
});

const react = (name: string) => `menus/react-docs-pt-BR/sidebar${name}.json`;
const sidebars: [string, number, string][] = [
  ['Learn', 53, 'Aprenda React'],
  ['Reference', 134, 'API de Referência'],
  ['Blog', 27, 'Blog'],
  ['Community', 10, 'Comunidade'],
  ['Home', 28, 'React Docs'],
];

interface Route {
  readonly title?: string;
  readonly sectionHeader?: string;
  readonly path?: string;
  readonly routes?: readonly Route[];
}

describeReal(
  'the public sidebars of the React documentation',
  sidebars.map(([name]) => react(name)),
  () => {
    it.each(
      sidebars,
    )('%s becomes a menu of %i items, as another reading of the file says', async (name, count, title) => {
      const file = realFile(react(name));
      const options = { locale: 'pt-BR' };
      expect(await importMenu(connection.db, file, options)).toMatchObject({ read: count, written: count, errors: [] });
      const { routes }: Route = JSON.parse(await readFile(file, 'utf8'));
      const tree = (each: readonly Route[] = []): Tree[] =>
        each.map((route) => [
          (route.title ?? route.sectionHeader ?? '').trim(),
          route.path ?? null,
          tree(route.routes),
        ]);
      expect(await treeOf(`sidebar${name}`, 'pt-BR')).toEqual(tree(routes));
      expect(await titleOf(`sidebar${name}`, 'pt-BR')).toBe(title);
      expect(await importMenu(connection.db, file, options)).toMatchObject({ unchanged: count, changed: false });
    });

    it('have keys that say where an item leads', async () => {
      const keys = (await itemsOf('sidebarCommunity', 'pt-BR')).map(({ key }) => key);
      expect(keys).toContain('community/conferences');
      expect(keys).toContain('envolva-se');
    });
  },
);

const node = (name: string) => `menus/nodejs-org/${name}.json`;

describeReal('the public navigation of nodejs.org', ['navigation', 'en', 'es', 'pt-br'].map(node), () => {
  const labels = ['en', 'pt-br', 'es'].map((name) => realFile(node(name)));

  it('becomes a menu of 42 items per locale: four sections with 8, 10, 6 and 2 items, and 12 below the last', async () => {
    const outcome = await importMenu(connection.db, realFile(node('navigation')), { labels });
    expect(outcome).toMatchObject({ read: 3 * 42, written: 3 * 42, refused: 0 });
    for (const locale of ['en', 'pt-BR', 'es']) {
      const tree = await treeOf('navigation', locale);
      expect(tree.map(([label, , children]) => `${label} ${children.length}`)).toEqual([
        'topNavigation 8',
        'footerLinks 10',
        'socialLinks 6',
        'sideNavigation 2',
      ]);
      expect(tree[3]?.[2].map(([, , children]) => children.length)).toEqual([7, 5]);
    }
  });

  it('has the labels of each locale, those that one lacks in English, and says which', async () => {
    const texts = new Map(
      await Promise.all(
        ['en', 'pt-br', 'es'].map(
          async (name) => [name, JSON.parse(await readFile(realFile(node(name)), 'utf8'))] as const,
        ),
      ),
    );
    const lookUp = (name: string, key: string): unknown =>
      key.split('.').reduce((at, step) => at?.[step], texts.get(name));
    const navigation = JSON.parse(await readFile(realFile(node('navigation')), 'utf8'));
    for (const [name, locale] of [
      ['en', 'en'],
      ['pt-br', 'pt-BR'],
      ['es', 'es'],
    ] as const) {
      const tree = await treeOf('navigation', locale);
      const wanted = Object.values<{ label: string; link: string }>(navigation.topNavigation).map(({ label, link }) => [
        lookUp(name, label) ?? lookUp('en', label),
        link,
        [],
      ]);
      expect(tree[0]?.[2]).toEqual(wanted);
    }
    const outcome = await importMenu(connection.db, realFile(node('navigation')), { labels });
    expect(outcome).toMatchObject({ unchanged: 3 * 42, changed: false });
    const lacking = (locale: string) => outcome.errors.filter(({ reason }) => reason.includes(`${locale}: `)).length;
    expect([lacking('en'), lacking('pt-BR'), lacking('es')]).toEqual([0, 2, 9]);
  });

  it('has one key for an item in all locales', async () => {
    const keysOf = async (locale: string) => (await itemsOf('navigation', locale)).map(({ key }) => key).sort();
    const english = await keysOf('en');
    expect(english).toContain('sideNavigation.about.previousReleases');
    expect(english).toContain('topNavigation.betaDocs');
    expect(await keysOf('es')).toEqual(english);
    expect(await keysOf('pt-BR')).toEqual(english);
  });

  it('is a menu of its top links alone, when that part is named', async () => {
    const env = { DATABASE_URL: database.url, ESPELHO_HOME: join(folder, 'home') };
    const args = ['--part', 'topNavigation', '--key', 'top', '--title', 'Node.js', '--json', '--labels', ...labels];
    const { code, out, err } = await espelho(env, 'import', 'menus', realFile(node('navigation')), ...args);
    expect([code, err]).toEqual([0, expect.any(String)]);
    expect(JSON.parse(out)).toMatchObject({ read: 24, written: 24, refused: 0 });
    expect((await treeOf('top', 'pt-BR')).map(([label]) => label).slice(0, 3)).toEqual(['Aprenda', 'Sobre', 'Baixar']);
    expect(await titleOf('top', 'es')).toBe('Node.js');
  });
});

describe('the command line', () => {
  it.each([
    [['nav.json', '--labels', 'texts of ours.json'], 'is no language tag'],
    [['nav.json', '--labels', 'a/en.json', 'b/en.json'], 'Two of the label files'],
    [['nav.json', '--title', ' '], 'label or title'],
    [['nav.json', '--part', 'a b'], 'is no key'],
  ])('fails with 2 when it is called as %j', async (args, sentence) => {
    const { code, err } = await espelho({ DATABASE_URL: database.url }, 'import', 'menus', ...args);
    expect(code).toBe(2);
    expect(err).toContain(sentence);
  });
});
