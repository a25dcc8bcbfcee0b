import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Invalid } from '../../src/resolvers/errors.js';
import { ImportFailed } from '../../src/resolvers/import/errors.js';
import { importSecurityList } from '../../src/resolvers/import/security-list-import.js';
import { type Api, startApi } from '../support/api.js';
import { versionsOf } from './entry-versions.js';
import { describeReal, realFile } from './real-data.js';

let api: Api;
let folder: string;
beforeAll(async () => {
  api = await startApi();
  folder = await mkdtemp(join(tmpdir(), 'lists-'));
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

const load = (files: string | string[], name: string, options: object = {}) =>
  importSecurityList(api.gateway.services.db, [files].flat(), name, options);

const membersOf = async (name: string): Promise<string[]> =>
  (
    await api.database.psql`SELECT member FROM security_list_members WHERE name = ${name} ORDER BY member COLLATE "C"`
  ).map(({ member }) => member);

const isIn = async (name: string, members: readonly string[]): Promise<boolean[]> => {
  await api.database.psql`SELECT cache_barrier('30 seconds')`;
  const { data } = await api.ask(
    `query ($name: String!, $members: [String!]!) { securityListContains(name: $name, members: $members) }`,
    { scopes: ['security:read'] },
    { name, members },
  );
  return data.securityListContains;
};

describe('a list from files', () => {
  it('has a member a line, without blanks, comments and repetitions', async () => {
    const file = await fileOf('plain.txt', '# bad hosts\n\nb.example\r\n  a.example  \n#c.example\na.example\nx # y\n');
    expect(await load(file, 'plain')).toEqual({
      read: 4,
      written: 3,
      unchanged: 1,
      refused: 0,
      errors: [],
      changed: true,
    });
    expect(await membersOf('plain')).toEqual(['a.example', 'b.example', 'x # y']);
    expect(await isIn('plain', ['a.example', '#c.example', ' a.example'])).toEqual([true, false, false]);
  });

  it('becomes exactly what later files say together, and again changes nothing', async () => {
    const one = await fileOf('one.txt', 'a.example\nnew.example\n');
    const two = await fileOf('two.json.gz', gzipSync('["a.example", "two.example"]'));
    expect(await load([one, two], 'plain')).toMatchObject({ read: 4, written: 2, unchanged: 2 });
    expect(await membersOf('plain')).toEqual(['a.example', 'new.example', 'two.example']);
    expect(await isIn('plain', ['b.example', 'two.example'])).toEqual([false, true]);
    const before = [await versionsOf(api.database), await api.database.psql`SELECT count(*) FROM changes`];
    expect(await load([one, two], 'plain')).toMatchObject({ written: 0, unchanged: 4, changed: false });
    expect([await versionsOf(api.database), await api.database.psql`SELECT count(*) FROM changes`]).toEqual(before);
  });

  it('is in the audit log with what came and went, by count', async () => {
    const rows = await api.database
      .psql`SELECT actor, action, before, after FROM changes WHERE key = 'plain' ORDER BY sequence`;
    expect(rows).toEqual([
      expect.objectContaining({ before: null, after: { members: 3, added: { count: 3 }, removed: { count: 0 } } }),
      {
        actor: 'cli',
        action: 'importSecurityList',
        before: { members: 3 },
        after: { members: 3, added: { count: 2 }, removed: { count: 2 } },
      },
    ]);
  });

  const forms: [string, string, unknown, string[]][] = [
    ['an array of texts', 'a.json', ['b', 'a', '#x', ' c '], [' c ', '#x', 'a', 'b']],
    ['an array of objects with names', 'b.json', [{ name: 'a', more: 1 }, { name: 'b' }], ['a', 'b']],
    [
      'an object whose keys are the members',
      'c.json',
      { 'a.example': { mode: 'x' }, 'b.example': {} },
      ['a.example', 'b.example'],
    ],
    ['an object with one array in it', 'd.json', { updated: '2026', urls: ['//a', '//b'] }, ['//a', '//b']],
    [
      'a document of hosts with their entries',
      'e.json',
      { pinsets: [{}], entries: [{ name: 'a.example' }] },
      ['a.example'],
    ],
    ['JSON under any name', 'f.conf', ['a', 'b'], ['a', 'b']],
    ['JSON on many lines under any name', 'g.conf', { hosts: ['a'] }, ['a']],
  ];
  it.each(forms)('is read from %s', async (_, file, json, members) => {
    const text = file === 'g.conf' ? JSON.stringify(json, null, 2) : JSON.stringify(json);
    expect(await load(await fileOf(file, text), `form-${file}`)).toMatchObject({ written: members.length, refused: 0 });
    expect(await membersOf(`form-${file}`)).toEqual(members);
  });

  it('of text that looks like JSON is text where that is said', async () => {
    await load(await fileOf('urls.txt', '[::1]\n{x}\n'), 'text');
    expect(await membersOf('text')).toEqual(['[::1]', '{x}']);
    await load(await fileOf('curly.txt', '{x}\n[::1]\n'), 'curly', { format: 'text' });
    expect(await membersOf('curly')).toEqual(['[::1]', '{x}']);
  });

  it('lacks what is no member, told by its place and not repeated', async () => {
    const text = await fileOf('partly.txt', `good\n${'planted'.repeat(200)}\n`);
    const first = await load(text, 'partly');
    expect(first).toMatchObject({ read: 2, written: 1, refused: 1, errors: [{ file: text, line: 2 }] });
    expect(first.errors[0]?.reason).not.toContain('planted');
    const json = await fileOf(
      'partly.json',
      JSON.stringify(['good', 5, null, '', ['planted'], { x: 'planted' }, 'a\0']),
    );
    const second = await load(json, 'partly');
    expect(second).toMatchObject({ read: 7, unchanged: 1, refused: 6 });
    expect(second.errors.map(({ reason }) => reason.slice(0, 10))).toEqual(
      [2, 3, 4, 5, 6, 7].map((at) => `Element ${at}:`),
    );
    expect(JSON.stringify(second.errors)).not.toContain('planted');
  });

  it('stays as it is where a file has no member, breaks off, or has two lists', async () => {
    await load(await fileOf('keep.txt', 'kept\n'), 'kept');
    const random = Array.from({ length: 5_000 }, (_, at) => `${Math.sin(at)}`).join('\n');
    const files: [string, string | Uint8Array, RegExp][] = [
      ['empty.txt', '# nothing\n', /no member/],
      ['broken.txt.gz', gzipSync(random).subarray(0, 20_000), /breaks off/],
      ['broken.json', '["a", "b"', /no JSON/],
      ['two.json', '{"a": ["x"], "b": ["y"]}', /several lists \("a", "b"\)/],
      ['five.json', '5', /neither an array nor an object/],
      ['none.json', '[]', /no member/],
    ];
    for (const [name, content, reason] of files) {
      const outcome = await load(await fileOf(name, content), 'kept');
      expect(outcome).toMatchObject({ written: 0, unchanged: 0, changed: false });
      expect(outcome.errors.map((error) => error.reason).join(' ')).toMatch(reason);
      expect(outcome.errors.map((error) => error.reason).join(' ')).toMatch(/nothing was written/);
    }
    expect(await membersOf('kept')).toEqual(['kept']);
  });

  it('is not written by a dry run, which reports what would be', async () => {
    const file = await fileOf('dry.txt', 'a\nb\n');
    const before = await versionsOf(api.database);
    expect(await load(file, 'dry', { dryRun: true })).toMatchObject({ written: 2, changed: true });
    expect(await versionsOf(api.database)).toEqual(before);
    expect(await api.database.psql`SELECT FROM security_values WHERE name = 'dry'`).toHaveLength(0);
  });

  it('needs a name that is one, and no other kind of value', async () => {
    const file = await fileOf('name.txt', 'a\n');
    await expect(load(file, 'not a name')).rejects.toThrow(Invalid);
    await expect(load(join(folder, 'missing'), 'name')).rejects.toThrow(ImportFailed);
    await api.database.psql`INSERT INTO security_values (name, kind, parameter) VALUES ('taken', 'PARAMETER', '1')`;
    await expect(load(file, 'taken')).rejects.toThrow(/taken is a PARAMETER/);
  });
});

const real = {
  hosts: 'security/hsts-preload/hsts-preload.2017-05-10.json.gz',
  earlierHosts: 'security/hsts-preload/hsts-preload.2016-12-14.json.gz',
  passwords: 'security/common-passwords/passwords.json.gz',
  domains: 'security/disposable-email/disposable_email_blocklist.conf',
};

describeReal('public lists', Object.values(real), () => {
  const jsonOf = async (name: string) => JSON.parse(gunzipSync(await readFile(realFile(name))).toString('utf8'));
  const sources: [string, string, number, () => Promise<string[]>][] = [
    ['hosts', real.hosts, 24_952, async () => Object.keys(await jsonOf(real.hosts))],
    ['passwords', real.passwords, 49_233, () => jsonOf(real.passwords)],
    ['domains', real.domains, 8_335, async () => (await readFile(realFile(real.domains), 'utf8')).trim().split('\n')],
  ];

  it.each(sources)(
    '%s come in whole, are found one by one, and come in again without changing anything',
    async (name, file, count, read) => {
      const outcome = await load(realFile(file), name);
      expect(outcome).toEqual({ read: count, written: count, unchanged: 0, refused: 0, errors: [], changed: true });
      const expected = await read();
      expect(expected).toHaveLength(count);
      expect(await membersOf(name)).toEqual(
        [...expected].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
      const asked = expected.filter((_, at) => at % Math.ceil(count / 500) === 0);
      expect(await isIn(name, asked)).toEqual(asked.map(() => true));
      const strangers = asked.map((member) => `${member}¬`);
      expect(await isIn(name, strangers)).toEqual(strangers.map(() => false));
      const { data } = await api.ask(
        `query ($name: String!) { securityValue(name: $name) { memberCount kind } }`,
        { scopes: ['security:read'] },
        { name },
      );
      expect(data.securityValue).toEqual({ memberCount: count, kind: 'LIST' });
      const before = await versionsOf(api.database);
      expect(await load(realFile(file), name)).toMatchObject({ written: 0, unchanged: count, changed: false });
      expect(await versionsOf(api.database)).toEqual(before);
    },
    120_000,
  );

  it('of hosts become the later state out of the earlier: 6,467 come, 36 go', async () => {
    expect(await load(realFile(real.earlierHosts), 'history')).toMatchObject({ written: 18_521 });
    expect(await load(realFile(real.hosts), 'history')).toMatchObject({ written: 6_467, unchanged: 24_952 - 6_467 });
    const [last] = await api.database
      .psql`SELECT after FROM changes WHERE key = 'history' ORDER BY sequence DESC LIMIT 1`;
    expect(last?.after).toEqual({ members: 24_952, added: { count: 6_467 }, removed: { count: 36 } });
  }, 120_000);
});
