import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { ImportFailed } from '../../src/resolvers/import/errors.js';
import { importMenu, menuNameOf } from '../../src/resolvers/import/menu-import.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { versionsOf } from './entry-versions.js';
import { describeReal, realFile } from './real-data.js';

let database: TestDatabase;
let connection: Connection;
let folder: string;
beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url });
  folder = await mkdtemp(join(tmpdir(), 'menus-'));
});
afterAll(async () => {
  await connection.close();
  await database.close();
  await rm(folder, { recursive: true });
});

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

async function itemsOf(key: string, locale: string): Promise<string[]> {
  const rows =
    await database.psql`SELECT concat_ws(' ', coalesce(i.parent_key, '-'), i.position, i.key, i.label) AS item
    FROM menus AS m JOIN menu_items AS i ON i.menu_id = m.id WHERE m.key = ${key} AND m.locale = ${locale}
    ORDER BY i.key`;
  return rows.map(({ item }) => item);
}

const titlesOf = async (key: string) =>
  (await database.psql`SELECT title FROM menus WHERE key = ${key} ORDER BY locale`).map(({ title }) => title);

describe('a menu from taxonomy text', () => {
  it('has exactly the items of the file, and a title made of its key', async () => {
    const file = await fileOf('shop.en.txt', 'a : A\na-1 : A > B\nc : C\n');
    expect(await importMenu(connection.db, file)).toEqual({
      read: 3,
      written: 3,
      unchanged: 0,
      refused: 0,
      errors: [],
      changed: true,
    });
    expect(await itemsOf('shop', 'en')).toEqual(['- 0 a A', 'a 0 a-1 B', '- 1 c C']);
    expect(await titlesOf('shop')).toEqual(['Shop']);
  });

  it('loses what a later file lacks, keeps its title, and counts only what is other', async () => {
    await database.psql`UPDATE menus SET title = 'Our shop' WHERE key = 'shop'`;
    const file = await fileOf('shop.en.txt', 'c : C\nc-1 : C > D\na : A\n');
    expect(await importMenu(connection.db, file)).toMatchObject({ read: 3, written: 3, unchanged: 0 });
    expect(await itemsOf('shop', 'en')).toEqual(['- 1 a A', '- 0 c C', 'c 0 c-1 D']);
    expect(await importMenu(connection.db, await fileOf('shop.en.txt', 'c : C\na : A\n'))).toMatchObject({
      written: 0,
      unchanged: 2,
      changed: true,
    });
    expect(await titlesOf('shop')).toEqual(['Our shop']);
  });

  it('lacks refused lines with all that is below them', async () => {
    const file = await fileOf('partly.txt', 'a : A\nb - B\nb-1 : B > C\nb-1-1 : B > C > D\n!x : X\nd : D\n');
    const outcome = await importMenu(connection.db, file, { locale: 'de' });
    expect(outcome).toMatchObject({ read: 6, written: 2, refused: 4 });
    expect(outcome.errors.map(({ line }) => line)).toEqual([2, 3, 4, 5]);
    expect(await itemsOf('partly', 'de')).toEqual(['- 0 a A', '- 1 d D']);
  });

  it('is left as it is by a file without items, and by one that breaks off', async () => {
    const nothing = await importMenu(connection.db, await fileOf('shop.en.txt', 'nothing\n'));
    expect(nothing).toMatchObject({ read: 1, refused: 1, changed: false });
    expect(nothing.errors.at(-1)).toMatchObject({ line: 0, reason: expect.stringContaining('nothing was written') });
    const lines = Array.from({ length: 5000 }, (_, at) => `k${at} : ${Math.sin(at)}\n`).join('');
    const broken = gzipSync(lines).subarray(0, 20_000);
    const outcome = await importMenu(connection.db, await fileOf('shop.en.txt.gz', broken));
    expect(outcome).toMatchObject({ written: 0, unchanged: 0, changed: false });
    expect(outcome.refused).toBe(outcome.read);
    expect(await itemsOf('shop', 'en')).toEqual(['- 1 a A', '- 0 c C']);
  });

  it('is not written by a dry run, which reports what would be', async () => {
    const file = await fileOf('dry.txt', 'a : A\n');
    const before = await versionsOf(database);
    expect(await importMenu(connection.db, file, { dryRun: true })).toMatchObject({ written: 1, changed: true });
    expect(await versionsOf(database)).toEqual(before);
    expect(await itemsOf('dry', 'en')).toEqual([]);
  });

  it('needs a file that can be read', async () => {
    await expect(importMenu(connection.db, join(folder, 'missing'))).rejects.toThrow(ImportFailed);
    await expect(importMenu(connection.db, folder)).rejects.toThrow(/is a folder/);
  });

  it.each([
    ['categories.pt-BR.txt.gz', 'categories', 'pt-BR'],
    ['/data/categories.en.txt', 'categories', 'en'],
    ['main_menu.txt', 'main_menu', 'en'],
    ['main.zh-Hant-TW.txt', 'main', 'zh-Hant-TW'],
    ['main.pt_BR', 'main', 'pt-BR'],
  ])('from %s is %s in %s', (file, key, locale) => {
    expect(menuNameOf(file)).toEqual({ key, locale });
    expect(menuNameOf(file, { key: 'k', locale: 'fr' })).toEqual({ key: 'k', locale: 'fr' });
  });
});

const real = (locale: string) => `menus/shopify-taxonomy/categories.${locale}.txt.gz`;

describeReal('the public taxonomy', [real('pt-BR'), real('en')], () => {
  it('becomes a menu of 10,595 items per language, and again changes nothing', async () => {
    for (const locale of ['pt-BR', 'en']) {
      const outcome = await importMenu(connection.db, realFile(real(locale)));
      expect(outcome).toMatchObject({ read: 10_595, written: 10_595, refused: 0, errors: [] });
      const text = gunzipSync(await readFile(realFile(real(locale)))).toString('utf8');
      const siblings = new Map<string, number>();
      const expected = [...text.matchAll(/^gid:\/\/shopify\/TaxonomyCategory\/(\S+) +: (?:.* > )?(.*)$/gm)].map(
        ([, key = '', label = '']) => {
          const parent = key.includes('-') ? key.replace(/-\d+$/, '') : '-';
          const position = siblings.get(parent) ?? 0;
          siblings.set(parent, position + 1);
          return `${parent} ${position} ${key} ${label}`;
        },
      );
      expect((await itemsOf('categories', locale)).sort()).toEqual(expected.sort());
    }
    const before = await versionsOf(database);
    for (const locale of ['pt-BR', 'en']) {
      const again = await importMenu(connection.db, realFile(real(locale)));
      expect(again).toMatchObject({ written: 0, unchanged: 10_595, changed: false });
    }
    expect(await versionsOf(database)).toEqual(before);
  });
});
