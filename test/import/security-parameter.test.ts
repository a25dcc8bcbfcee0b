import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importParameters, parameterNamesOf } from '../../src/resolvers/import/security-parameter-import.js';
import { type Api, startApi } from '../support/api.js';
import { versionsOf } from './entry-versions.js';
import { describeReal, realFile } from './real-data.js';

const officer = { scopes: ['security:read', 'security:write'] };

let api: Api;
let folder: string;
beforeAll(async () => {
  api = await startApi();
  folder = await mkdtemp(join(tmpdir(), 'parameters-'));
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

const load = (files: string | string[], options: object = {}) =>
  importParameters(api.gateway.services.db, [files].flat(), options);

const parameterOf = async (name: string) => {
  await api.database.psql`SELECT cache_barrier('30 seconds')`;
  const document = `query ($name: String!) { securityValue(name: $name) { parameter } }`;
  return (await api.ask(document, officer, { name })).data.securityValue?.parameter;
};

describe('a parameter from a file', () => {
  it('is the document in it, and again changes nothing', async () => {
    const file = await fileOf('limits.json.gz', gzipSync('\ufeff{"a": [1, 2.5, "é"], "b": null}'));
    expect(await load(file)).toEqual({ read: 1, written: 1, unchanged: 0, refused: 0, errors: [], changed: true });
    expect(await parameterOf('limits')).toEqual({ a: [1, 2.5, 'é'], b: null });
    const before = [await versionsOf(api.database), await api.database.psql`SELECT count(*) FROM changes`];
    expect(await load(file)).toMatchObject({ written: 0, unchanged: 1, changed: false });
    expect([await versionsOf(api.database), await api.database.psql`SELECT count(*) FROM changes`]).toEqual(before);
  });

  it('is named by its file, or as it is told', () => {
    expect(parameterNamesOf(['a/limits.json.gz'])).toEqual(['limits']);
    expect(parameterNamesOf(['a/limits.json'], 'other')).toEqual(['other']);
    expect(parameterNamesOf(['5.5.json', '5.6.json'], 'tls')).toEqual(['tls/5.5', 'tls/5.6']);
    expect(() => parameterNamesOf(['a/x.json', 'b/x.json'], 'tls')).toThrow(
      /Two of the files would be parameter tls\/x/,
    );
    expect(() => parameterNamesOf(['a b.json'])).toThrow(/no name/);
  });

  it('must satisfy the schema that stands', async () => {
    await api.ask(
      `mutation { putParameter(name: "checked", parameter: { limit: 5 }, schema: { required: ["limit"] }) { __typename } }`,
      officer,
    );
    const outcome = await load(await fileOf('checked.json', '{"x": 1}'));
    expect(outcome).toMatchObject({ read: 1, refused: 1, changed: false });
    expect(outcome.errors[0]?.reason).toContain("must have required property 'limit'");
    expect(await load(await fileOf('checked.json', '{"limit": 6}'))).toMatchObject({ written: 1 });
    expect(await parameterOf('checked')).toEqual({ limit: 6 });
    const [last] = await api.database
      .psql`SELECT actor, before, after FROM changes WHERE key = 'checked' ORDER BY sequence DESC LIMIT 1`;
    const schema = { required: ['limit'] };
    expect(last).toEqual({
      actor: 'cli',
      before: { parameter: { limit: 5 }, schema },
      after: { parameter: { limit: 6 }, schema },
    });
  });

  it('is refused by the place of its fault, while others come in', async () => {
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    const files = await Promise.all([
      fileOf('broken.json', '{\n"a": 1,\n}'),
      fileOf('null.json', 'null'),
      fileOf('deep.json', nested(33)),
      fileOf('large.json', JSON.stringify('x'.repeat(65_536))),
      fileOf('proto.json', '{"__proto__": 1}'),
      fileOf('good.json', nested(32)),
    ]);
    const outcome = await load(files);
    expect(outcome).toMatchObject({ read: 6, written: 1, refused: 5 });
    expect(outcome.errors).toMatchObject([
      { file: files[0], line: 3 },
      { file: files[1], reason: expect.stringContaining('null') },
      { file: files[2], reason: expect.stringContaining('32 levels') },
      { file: files[3], reason: expect.stringContaining('65536 at most') },
      { file: files[4], reason: expect.stringContaining('__proto__') },
    ]);
  });

  it('is not written by a dry run', async () => {
    const before = await versionsOf(api.database);
    expect(await load(await fileOf('dry.json', '1'), { dryRun: true })).toMatchObject({ written: 1, changed: true });
    expect(await versionsOf(api.database)).toEqual(before);
  });

  it('takes no name of another kind', async () => {
    await api.ask(`mutation { changeSecurityList(name: "hosts", add: ["a"]) { __typename } }`, officer);
    const outcome = await load(await fileOf('hosts.json', '1'));
    expect(outcome).toMatchObject({ refused: 1, errors: [{ reason: expect.stringContaining('hosts is a LIST') }] });
  });
});

const releases = ['4.0', '5.0', '5.1', '5.2', '5.3', '5.4', '5.5', '5.6'];
const real = releases.map((release) => `security/mozilla-tls-guidelines/${release}.json`);

describeReal('the public TLS guidelines', real, () => {
  it('come in as eight parameters, or as the history of one, and again change nothing', async () => {
    const files = real.map(realFile);
    expect(await load(files, { name: 'tls' })).toMatchObject({ read: 8, written: 8, refused: 0 });
    for (const [at, file] of files.entries()) {
      expect(await parameterOf(`tls/${releases[at]}`)).toEqual(JSON.parse(await readFile(file, 'utf8')));
      expect(await load(file, { name: 'tls-guideline' })).toMatchObject({ written: 1 });
    }
    const [history] = await api.database
      .psql`SELECT count(*)::int, array_agg((after #>> '{parameter,version}') ORDER BY sequence) AS versions
      FROM changes WHERE key = 'tls-guideline'`;
    expect(history?.count).toBe(8);
    expect(history?.versions.map(Number)).toEqual([4, 5, 5.1, 5.2, 5.3, 5.4, 5.5, 5.6]);
    expect((await parameterOf('tls-guideline')).version).toBe(5.6);
    const before = await versionsOf(api.database);
    expect(await load(files, { name: 'tls' })).toMatchObject({ unchanged: 8, changed: false });
    expect(await versionsOf(api.database)).toEqual(before);
  });
});
