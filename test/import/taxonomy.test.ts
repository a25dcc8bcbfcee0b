import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { linesOf } from '../../src/resolvers/import/lines.js';
import { readTaxonomy, type TaxonomyRecord, taxonomyItems } from '../../src/resolvers/import/taxonomy.js';
import { collected, describeReal, realFile } from './real-data.js';

const itemsOf = (text: string): Promise<TaxonomyRecord[]> => collected(taxonomyItems(linesOf([Buffer.from(text)])));
const valuesOf = (records: TaxonomyRecord[]) =>
  records.flatMap((record) => (record.kind === 'record' ? record.value : []));

describe('taxonomy text', () => {
  it('becomes items with parents by path, depths from 1 and positions among siblings from 0', async () => {
    const records = await itemsOf('# comment\n\ngid://x/C/a   : A\ngid://x/C/a-1 : A > B\nplain : A > C\nz : Z : z\n');
    expect(records).toEqual([
      { kind: 'record', line: 3, value: { key: 'a', label: 'A', parentKey: null, depth: 1, position: 0 } },
      { kind: 'record', line: 4, value: { key: 'a-1', label: 'B', parentKey: 'a', depth: 2, position: 0 } },
      { kind: 'record', line: 5, value: { key: 'plain', label: 'C', parentKey: 'a', depth: 2, position: 1 } },
      { kind: 'record', line: 6, value: { key: 'z', label: 'Z : z', parentKey: null, depth: 1, position: 1 } },
    ]);
  });

  it.each([
    ['a line without " : "', 'a: A', /no " : "/],
    ['a line without an id', ' : A', /before the " : "/],
    ['a gid that ends in a slash', 'gid://x/ : A', /before the " : "/],
    ['an empty label', 'a :  ', /name in the path is empty/],
    ['an empty name within the path', 'a : A >  > B', /name in the path is empty/],
    ['a parent that stands nowhere above', 'a : A > B', /parent, "A"/],
    ['a depth above 12', `a : ${Array(13).fill('A').join(' > ')}`, /13 levels; a menu has at most 12/],
  ])('refuses %s and goes on', async (_, line, reason) => {
    const records = await itemsOf(`ok : Ok\n${line}\nlast : Last`);
    expect(records.map(({ kind }) => kind)).toEqual(['record', 'refused', 'record']);
    expect(records[1]).toMatchObject({ line: 2, reason: expect.stringMatching(reason) });
    expect(valuesOf(records).map(({ position }) => position)).toEqual([0, 1]);
  });

  it('refuses a key that repeats, naming the line that has it', async () => {
    const records = await itemsOf('a : A\ngid://x/a : B');
    expect(records[1]).toMatchObject({ kind: 'refused', line: 2, reason: expect.stringContaining('on line 1') });
  });

  it('refuses the children of a refused line, and of a line that was not text', async () => {
    const bytes = Buffer.concat([Buffer.from('a : '), Buffer.from([0xff]), Buffer.from('\nb : B > C\nd : D')]);
    const records = await collected(taxonomyItems(linesOf([bytes])));
    expect(records.map(({ kind }) => kind)).toEqual(['refused', 'refused', 'record']);
  });

  it('gives children of siblings with one name to the nearest sibling above', async () => {
    const values = valuesOf(await itemsOf('a : A\na-1 : A > B\na-1-1 : A > B > C\na-2 : A > B\na-2-1 : A > B > C'));
    expect(values.map(({ parentKey }) => parentKey)).toEqual([null, 'a', 'a-1', 'a', 'a-2']);
    expect(values.map(({ position }) => position)).toEqual([0, 0, 0, 1, 0]);
  });
});

const folder = 'menus/shopify-taxonomy';

describeReal('the public taxonomy', [`${folder}/categories.pt-BR.txt.gz`, `${folder}/categories.en.txt.gz`], () => {
  it.each(['pt-BR', 'en'])('in %s is read as another reading of it says, node by node', async (locale) => {
    const file = realFile(`${folder}/categories.${locale}.txt.gz`);
    const records = await collected(readTaxonomy(file));
    expect(records.filter(({ kind }) => kind === 'refused')).toEqual([]);

    // The other reading: parents from the ids (a child's is its parent's plus `-n`), labels by regular expression.
    const siblings = new Map<string | null, number>();
    const text = gunzipSync(readFileSync(file)).toString('utf8');
    const expected = [...text.matchAll(/^gid:\/\/shopify\/TaxonomyCategory\/(\S+) +: (?:.* > )?(.*)$/gm)].map(
      ([, key = '', label = '']) => {
        const parentKey = key.includes('-') ? key.replace(/-\d+$/, '') : null;
        const position = siblings.get(parentKey) ?? 0;
        siblings.set(parentKey, position + 1);
        return { key, label, parentKey, depth: key.split('-').length, position };
      },
    );
    const values = valuesOf(records);
    expect(values).toEqual(expected);
    expect(values).toHaveLength(10_595);
    expect(values.filter(({ parentKey }) => parentKey === null)).toHaveLength(26);
    expect(Math.max(...values.map(({ depth }) => depth))).toBe(8);
  });

  it('has the same keys and tree in both languages', async () => {
    const [portuguese, english] = await Promise.all(
      ['pt-BR', 'en'].map(async (locale) => {
        const values = valuesOf(await collected(readTaxonomy(realFile(`${folder}/categories.${locale}.txt.gz`))));
        return values.map(({ label, ...place }) => place);
      }),
    );
    expect(portuguese).toEqual(english);
  });
});
