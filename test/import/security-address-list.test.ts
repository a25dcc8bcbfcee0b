// Lists of addresses out of files, in the forms that they are published in.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { BlockList, isIPv4 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importSecurityList } from '../../src/resolvers/import/security-list-import.js';
import { espelho } from '../cli/terminal.js';
import { type Api, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { versionsOf } from './entry-versions.js';
import { describeReal, realFile } from './real-data.js';

let api: Api;
let folder: string;
beforeAll(async () => {
  api = await startApi();
  folder = await mkdtemp(join(tmpdir(), 'addresses-'));
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

async function fileOf(name: string, content: unknown): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const load = (files: string | string[], name: string, options: object = {}) =>
  importSecurityList(api.gateway.services.db, [files].flat(), name, options);

const contains = (name: string, members: readonly string[]) =>
  api.ask(
    `query ($name: String!, $members: [String!]!) { securityListContains(name: $name, members: $members) }`,
    { scopes: ['security:read'] },
    { name, members },
  );

const isIn = async (name: string, members: readonly string[]): Promise<boolean[]> => {
  const { data, errors } = await contains(name, members);
  expect(errors).toEqual([]);
  return data.securityListContains;
};

const facts = async (name: string) => {
  await api.database.psql`SELECT cache_barrier('30 seconds')`;
  const { data } = await api.ask(
    `query ($name: String!) { securityValue(name: $name) { memberCount listKind } }`,
    { scopes: ['security:read'] },
    { name },
  );
  return data.securityValue;
};

describe('a list of addresses from files', () => {
  const forms: [string, unknown][] = [
    ['text', '# ours\n10.0.0.0/8\n192.0.2.1\n\n2001:db8::/32\n::ffff:192.0.2.1\n'],
    ['an array', ['10.0.0.0/8', '192.0.2.1', '2001:DB8::/32', '192.0.2.1/32']],
    [
      'AWS ip-ranges.json',
      {
        syncToken: '1',
        prefixes: [
          { ip_prefix: '10.0.0.0/8', region: 'x' },
          { ip_prefix: '192.0.2.1/32', region: 'y' },
        ],
        ipv6_prefixes: [{ ipv6_prefix: '2001:db8::/32', region: 'x' }],
      },
    ],
    [
      'Google goog.json',
      {
        syncToken: '1',
        prefixes: [{ ipv4Prefix: '10.0.0.0/8' }, { ipv6Prefix: '2001:db8::/32' }, { ipv4Prefix: '192.0.2.1/32' }],
      },
    ],
  ];
  it.each(forms)('is read from %s', async (form, content) => {
    const name = form.replaceAll(' ', '-');
    const outcome = await load(await fileOf(`${name}.${typeof content === 'string' ? 'txt' : 'json'}`, content), name);
    expect(outcome).toMatchObject({ written: 3, refused: 0, changed: true });
    expect(await facts(name)).toEqual({ memberCount: 3, listKind: 'ADDRESS' });
    expect(await isIn(name, ['10.1.1.1', '192.0.2.1', '192.0.2.2', '2001:db8:1::1'])).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  it('leaves out what is no address where the list is one of addresses, told by its place', async () => {
    const file = await fileOf('partly.txt', '10.0.0.0/8\nplanted.example\n10.0.0.1/8\n192.0.2.1\n');
    expect(await load(file, 'partly', { kind: 'ADDRESS' })).toMatchObject({
      written: 2,
      refused: 2,
      errors: [
        { file, line: 2, reason: expect.stringContaining('neither an IP address nor a network') },
        { file, line: 3, reason: expect.stringContaining('behind its length') },
      ],
    });
    expect(await load(file, 'partly')).toMatchObject({ written: 0, unchanged: 2, refused: 2, changed: false });
    expect(await load(file, 'as-text')).toMatchObject({ written: 4, refused: 0 });
    expect(await facts('as-text')).toEqual({ memberCount: 4, listKind: 'TEXT' });
  });

  it('becomes one of the other kind where that is said, as a whole', async () => {
    const file = await fileOf('kind.txt', '10.0.0.0/8\n192.0.2.1\n');
    await load(file, 'turned', { kind: 'TEXT' });
    expect(await facts('turned')).toEqual({ memberCount: 2, listKind: 'TEXT' });
    expect(await isIn('turned', ['10.0.0.1', '192.0.2.1'])).toEqual([false, true]);
    expect(await load(file, 'turned', { kind: 'ADDRESS' })).toMatchObject({ changed: true });
    expect(await facts('turned')).toEqual({ memberCount: 2, listKind: 'ADDRESS' });
    expect(await isIn('turned', ['10.0.0.1', '192.0.2.1'])).toEqual([true, true]);
    await load(file, 'turned', { kind: 'TEXT' });
    await facts('turned');
    expect(await isIn('turned', ['10.0.0.1', '192.0.2.1'])).toEqual([false, true]);
  });

  it('may be named by its kind on the command line', async () => {
    const env = { DATABASE_URL: api.database.url, ESPELHO_HOME: join(folder, 'home') };
    const file = await fileOf('cli.txt', '10.0.0.0/8\nx\n');
    const { code, out } = await espelho(env, 'import', 'lists', file, '--name', 'cli', '--kind', 'address', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([0, { written: 1, refused: 1 }]);
    const wrong = await espelho(env, 'import', 'lists', file, '--name', 'cli', '--kind', 'cidr');
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('the kinds are: text, address')]);
  });
});

const providers = ['cloudflare', 'google', 'github'];
const parts = ['ipv4', 'ipv6', 'ipv4_merged', 'ipv6_merged'];
const rangeFile = (provider: string, part: string) => `security/ip-ranges/${provider}/${part}.txt`;
const ipsum = 'security/ipsum-deny-list/3.txt';

describeReal(
  'public ranges of addresses',
  [...providers.flatMap((provider) => parts.map((part) => rangeFile(provider, part))), ipsum],
  () => {
    const linesOf = async (file: string) =>
      (await readFile(realFile(file), 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

    /** What Node's own list of networks says. */
    const oracleOf = (networks: readonly string[]) => {
      const list = new BlockList();
      for (const network of networks) {
        const [base = '', bits] = network.split('/');
        const family = isIPv4(base) ? 'ipv4' : 'ipv6';
        list.addSubnet(base, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family);
      }
      return (address: string) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
    };

    /** Addresses in, just before and far from the networks. */
    const addressesAbout = (networks: readonly string[]) =>
      networks.flatMap((network, at) => {
        const [base = ''] = network.split('/');
        const odd = isIPv4(base)
          ? base.replace(/\d+$/, String((at * 37) % 256))
          : `${base.replace(/::$/, '')}:${(at * 7919).toString(16).slice(0, 4)}::1`.replace(/^(.*::.*)::1$/, '$1');
        return [
          base,
          odd,
          isIPv4(base) ? base.replace(/^\d+/, String((at * 13) % 224)) : `2001:db8::${at.toString(16)}`,
        ];
      });

    it.each(
      providers,
    )('of %s come in whole, plain and merged say the same, and 1,000 addresses take one round-trip', async (provider) => {
      const files = ['ipv4', 'ipv6'].map((part) => rangeFile(provider, part));
      const networks = (await Promise.all(files.map(linesOf))).flat();
      const outcome = await load(files.map(realFile), provider);
      expect(outcome).toMatchObject({ read: networks.length, refused: 0, errors: [] });
      expect(outcome.written + outcome.unchanged).toBe(networks.length);
      expect(await facts(provider)).toEqual({ memberCount: new Set(networks).size, listKind: 'ADDRESS' });
      const merged = files.map((file) => realFile(file.replace('.txt', '_merged.txt')));
      await load(merged, `${provider}/merged`);
      await facts(`${provider}/merged`);
      const inside = oracleOf(networks);
      const candidates = addressesAbout(networks).filter((address) => /^[\da-f.:]+$/.test(address));
      const addresses = candidates.filter((_, at) => at % Math.ceil(candidates.length / 1_000) === 0).slice(0, 1_000);
      const expected = addresses.map(inside);
      expect(new Set(expected).size).toBe(2);
      expect(await isIn(provider, addresses)).toEqual(expected);
      expect(await isIn(`${provider}/merged`, addresses)).toEqual(expected);
      await eventually(async () =>
        (await contains(provider, addresses)).trace.every(({ outcome: each }) => each === 'HIT'),
      );
      api.events.length = 0;
      expect(await isIn(provider, addresses)).toEqual(expected);
      expect(api.events.filter(({ kind }) => kind === 'flush')).toHaveLength(1);
      const before = await versionsOf(api.database);
      expect(await load(files.map(realFile), provider)).toMatchObject({ written: 0, changed: false });
      expect(await versionsOf(api.database)).toEqual(before);
    }, 120_000);

    it('of a deny list of single addresses are found one by one', async () => {
      const addresses = (await linesOf(ipsum)).map((line) => line.split(/\s/)[0] ?? '');
      await load(realFile(ipsum), 'ipsum');
      expect(await facts('ipsum')).toEqual({ memberCount: 14_217, listKind: 'ADDRESS' });
      const asked = addresses.filter((_, at) => at % 15 === 0).slice(0, 1_000);
      expect(await isIn('ipsum', asked)).toEqual(asked.map(() => true));
      const known = new Set(addresses);
      const strangers = asked.map((address) => address.replace(/\d+$/, '0')).filter((address) => !known.has(address));
      expect(await isIn('ipsum', strangers)).toEqual(strangers.map(() => false));
    }, 120_000);
  },
);
