import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { ImportFailed } from '../../src/resolvers/import/errors.js';
import { importFlags } from '../../src/resolvers/import/flag-import.js';
import { espelho } from '../cli/terminal.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { versionsOf } from './entry-versions.js';

let database: TestDatabase;
let connection: Connection;
let folder: string;
beforeAll(async () => {
  database = await createDatabase();
  connection = connect({ url: database.url });
  folder = await mkdtemp(join(tmpdir(), 'flags-'));
});
afterAll(async () => {
  await connection.close();
  await database.close();
  await rm(folder, { recursive: true });
});

const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };
const staff = { ends_with: [{ var: 'email' }, '@example.com'] };

async function fileOf(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
  return path;
}
const importing = async (environment: string, content: unknown, options: object = {}) =>
  importFlags(connection.db, [await fileOf(`${environment}.json`, content)], environment, options);
const stored = async (environment: string) => {
  const rows = await database.psql`SELECT key, enabled, description, definition, archived_at IS NOT NULL AS archived
    FROM flags WHERE environment = ${environment} ORDER BY key COLLATE "C"`;
  return rows.map((row) => ({ ...row }));
};
const reasons = (outcome: { readonly errors: readonly { readonly reason: string }[] }) =>
  outcome.errors.map(({ reason }) => reason);

describe('importing flags', () => {
  it('makes the environment, not public, and its flags; again it changes nothing', async () => {
    const document = { flags: { a: onOff, 'b/é c': { ...onOff, state: 'DISABLED' } } };
    const first = await importing('twice', document);
    expect(first).toEqual({ read: 2, written: 2, unchanged: 0, refused: 0, errors: [], changed: true });
    expect(await stored('twice')).toEqual([
      { key: 'a', enabled: true, description: null, definition: onOff, archived: false },
      { key: 'b/é c', enabled: false, description: null, definition: { ...onOff, state: 'DISABLED' }, archived: false },
    ]);
    expect([...(await database.psql`SELECT public FROM environments WHERE key = 'twice'`)]).toEqual([
      { public: false },
    ]);
    const before = await versionsOf(database);
    expect(await importing('twice', document)).toMatchObject({ written: 0, unchanged: 2, changed: false });
    expect(await versionsOf(database)).toEqual(before);
  });

  it('writes what differs only, revives what was archived, and leaves alone what the file does not name', async () => {
    await importing('differs', { flags: { a: onOff, b: onOff, c: onOff } });
    await database.psql`UPDATE flags SET archived_at = now() WHERE environment = 'differs' AND key = 'b'`;
    await database.psql`UPDATE environments SET public = true WHERE key = 'differs'`;
    const outcome = await importing('differs', { flags: { a: { ...onOff, defaultVariant: 'off' }, b: onOff } });
    expect(outcome).toMatchObject({ read: 2, written: 2, unchanged: 0 });
    const flags = await stored('differs');
    expect(flags.map(({ archived }) => archived)).toEqual([false, false, false]);
    expect(await database.psql`SELECT FROM environments WHERE key = 'differs' AND public`).toHaveLength(1);
  });

  it('writes nothing when it is dry, and says what it would', async () => {
    const before = await versionsOf(database);
    const outcome = await importing('dry', { flags: { a: onOff, b: {} } }, { dryRun: true });
    expect(outcome).toMatchObject({ read: 2, written: 1, refused: 1, changed: true });
    expect(await stored('dry')).toEqual([]);
    expect(await versionsOf(database)).toEqual(before);
  });

  it('writes evaluators out, those within evaluators too, and keeps what the set of flags says with each flag', async () => {
    const $evaluators = { staff, 'staff at night': { and: [{ $ref: 'staff' }, { '>': [{ var: 'hour' }, 20] }] } };
    const targeting = { if: [{ $ref: 'staff at night' }, 'off', { $ref: 'staff' }, 'on'] };
    const metadata = { description: 'Lights', owner: 'ana' };
    const flags = { lights: { ...onOff, targeting, metadata }, plain: onOff };
    const outcome = await importing('evaluators', { $evaluators, metadata: { owner: 'set', version: '1' }, flags });
    expect(outcome).toMatchObject({ written: 2, errors: [] });
    const whole = { if: [{ and: [staff, { '>': [{ var: 'hour' }, 20] }] }, 'off', staff, 'on'] };
    const [lights, plain] = await stored('evaluators');
    expect(lights).toMatchObject({
      description: 'Lights',
      definition: { ...onOff, targeting: whole, metadata: { ...metadata, version: '1' } },
    });
    expect(plain?.definition).toEqual({ ...onOff, metadata: { owner: 'set', version: '1' } });
  });

  it('keeps a description that was given by hand, where the file has none', async () => {
    await importing('described', { flags: { a: onOff } });
    await database.psql`UPDATE flags SET description = 'by hand' WHERE environment = 'described'`;
    expect(await importing('described', { flags: { a: onOff } })).toMatchObject({ unchanged: 1, changed: false });
    await importing('described', { flags: { a: { ...onOff, defaultVariant: 'off' } } });
    expect(await stored('described')).toMatchObject([{ description: 'by hand' }]);
  });

  it('takes an array of flags, and gzip', async () => {
    const flags = [{ key: 'a', ...onOff }, { ...onOff }, { key: 'a', ...onOff }, 'text'];
    const path = await fileOf('array.json.gz', gzipSync(JSON.stringify({ flags })));
    const outcome = await importFlags(connection.db, [path], 'array');
    expect(outcome).toMatchObject({ read: 4, written: 1, refused: 3 });
    expect(reasons(outcome).map((reason) => reason.slice(0, 13))).toEqual([
      '/flags/1/key:',
      '/flags/2: The',
      '/flags/3/key:',
    ]);
    expect(await stored('array')).toMatchObject([{ key: 'a', definition: onOff }]);
  });

  it('refuses a flag by its place in the document, and takes the others', async () => {
    const flags = {
      'a/b~c': { ...onOff, variants: { on: 1, off: 'x' } },
      ' blank': onOff,
      operator: { ...onOff, targeting: { if: [{ nope: [1] }, 'on'] } },
      hidden: { ...onOff, targeting: { in: ['a', [{ nope: [1] }]] } },
      shared: { ...onOff, targeting: { if: [{ $ref: 'broken' }, 'on'] } },
      large: { ...onOff, metadata: { text: 'x'.repeat(70_000) } },
      grown: { ...onOff, targeting: { cat: Array(20).fill({ $ref: 'long' }) } },
      fine: onOff,
    };
    const $evaluators = { broken: { nope: [1] }, long: { cat: ['x'.repeat(5_000)] } };
    const outcome = await importing('refused', { flags, $evaluators });
    expect(outcome).toMatchObject({ read: 8, written: 1, refused: 7 });
    const places = reasons(outcome).map((reason) => reason.split(': ')[0]);
    expect(places).toEqual([
      '/flags/a~1b~0c/variants/off',
      '/flags/ blank',
      '/flags/operator/targeting/if/0/nope',
      '/flags/hidden/targeting',
      '/flags/shared/targeting',
      '/flags/large',
      '/flags/grown',
      '/$evaluators/broken/nope',
    ]);
    expect(await stored('refused')).toMatchObject([{ key: 'fine' }]);
  });

  it('takes with a note what flagd takes in spite of its schema', async () => {
    const flags = {
      weight: {
        ...onOff,
        targeting: {
          fractional: [
            ['on', -1],
            ['off', 1],
          ],
        },
      },
      dangling: { ...onOff, targeting: { if: [{ $ref: 'nowhere' }, 'on'] } },
      circular: { ...onOff, targeting: { if: [{ $ref: 'one' }, 'on'] } },
    };
    const $evaluators = { one: { '!': { $ref: 'two' } }, two: { '!': { $ref: 'one' } } };
    const outcome = await importing('noted', { flags, $evaluators });
    expect(outcome).toMatchObject({ read: 3, written: 3, refused: 0 });
    expect(reasons(outcome)).toEqual([
      expect.stringMatching(/^\/flags\/weight\/targeting\/fractional\/0\/1: .* taken as flagd takes it\.$/),
      expect.stringMatching(/^\/flags\/dangling\/targeting: .*"nowhere".*PARSE_ERROR\.$/),
      expect.stringMatching(/^\/flags\/circular\/targeting: .*"one".*PARSE_ERROR\.$/),
    ]);
  });

  it('bounds evaluators that would grow without bound', async () => {
    const doubling = Array.from({ length: 40 }, (_, at) => [
      `e${at}`,
      { and: [{ $ref: `e${at + 1}` }, { $ref: `e${at + 1}` }] },
    ]);
    const flags = { bomb: { ...onOff, targeting: { if: [{ $ref: 'e0' }, 'on'] } } };
    const outcome = await importing('bomb', { flags, $evaluators: Object.fromEntries(doubling) });
    expect(outcome).toMatchObject({ read: 1, refused: 1 });
    expect(reasons(outcome)).toEqual([expect.stringContaining('too large')]);
  });

  it.each([
    ['no JSON', '{\n "flags": {\n  oops\n }}', 3, 1],
    ['an array', '[]', 0, 1],
    ['without flags', '{}', 0, 1],
    ['with metadata that are wrong', { flags: { a: onOff, b: onOff }, metadata: { a: {} } }, 0, 2],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 1, 1],
  ])('refuses a document that is %s, with its line where there is one', async (_, content, line, refused) => {
    const outcome = await importing('broken', content);
    expect(outcome).toMatchObject({ written: 0, refused, changed: false });
    expect(outcome.errors).toMatchObject([{ line, reason: expect.stringMatching(/\.$/) }]);
    expect(await database.psql`SELECT FROM environments WHERE key = 'broken'`).toHaveLength(0);
  });

  it('reads several files as one, and refuses a flag that stands in two', async () => {
    const files = [
      await fileOf('one.json', { flags: { a: onOff, b: onOff } }),
      await fileOf('two.json', { flags: { b: { ...onOff, state: 'DISABLED' }, c: onOff } }),
    ];
    const outcome = await importFlags(connection.db, files, 'several');
    expect(outcome).toMatchObject({ read: 4, written: 3, refused: 1 });
    expect(outcome.errors).toEqual([{ file: files[1], line: 0, reason: expect.stringContaining(files[0] ?? '') }]);
    await expect(importFlags(connection.db, [join(folder, 'none')], 'several')).rejects.toThrow(ImportFailed);
  });
});

describe('espelho import flags', () => {
  const call = (...args: string[]) =>
    espelho({ DATABASE_URL: database.url, ESPELHO_HOME: join(folder, 'home') }, 'import', 'flags', ...args);

  it('prints the report as JSON', async () => {
    const path = await fileOf('cli.json', { flags: { a: onOff, b: {} } });
    const { code, out, err } = await call(path, '--environment', 'cli', '--json');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual({
      read: 2,
      written: 1,
      unchanged: 0,
      refused: 1,
      errors: [{ file: path, line: 0, reason: expect.stringContaining('/flags/b/state: ') }],
    });
    const dry = await call(path, '--environment', 'cli', '--dry-run');
    expect([dry.code, dry.out]).toEqual([0, expect.stringMatching(/^Dry run/)]);
  });

  it('is called with an environment', async () => {
    const path = await fileOf('cli.json', { flags: { a: onOff } });
    expect(await call(path)).toMatchObject({ code: 2, err: expect.stringContaining('--environment') });
    expect(await call(path, '--environment', 'a/b')).toMatchObject({
      code: 2,
      err: expect.stringContaining('is no environment'),
    });
    expect(await call(path, '--environment', 'a', '--format', 'x')).toMatchObject({
      code: 2,
      err: expect.stringContaining('flagd'),
    });
  });
});
