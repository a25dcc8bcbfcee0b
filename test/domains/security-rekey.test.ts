// What `espelho rekey` promises: secrets come under a new master key while gateways serve, and a run that was broken off
// is continued by the next.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, connect } from '../../src/db/index.js';
import { masterKeyOf, rewrap, seal, unseal } from '../../src/resolvers/envelope.js';
import { countLocked, countToRekey, rekeySecrets } from '../../src/resolvers/secret-rekey.js';
import { espelho } from '../cli/terminal.js';
import { type Api, startApi } from '../support/api.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const OLD = 'ab'.repeat(32);
const NEW = 'cd'.repeat(32);
const THIRD = 'ef'.repeat(32);
const oldKey = masterKeyOf(OLD);
const both = masterKeyOf(NEW, OLD);
/** Has no allowance of its own to run out of. */
let reveals = 0;
const officer = () => ({
  subject: `officer ${Math.floor(reveals++ / 50)}`,
  scopes: ['security:read', 'security:write', 'security:reveal'],
});

let database: TestDatabase;
let connection: Connection;
let folder: string;
/** Gateways while the key is being changed, and one that was not told of the new one. */
let gateway: Api;
let behind: Api;
beforeAll(async () => {
  database = await createDatabase();
  folder = await mkdtemp(join(tmpdir(), 'rekey-'));
  connection = connect({ url: database.url, maxReads: 1, maxWrites: 2 });
  gateway = await startApi({ database, masterKey: NEW, oldMasterKey: OLD });
  behind = await startApi({ database, masterKey: OLD });
});
afterAll(async () => {
  await gateway.close();
  await behind.close();
  await connection.close();
  await database.close();
  await rm(folder, { recursive: true });
});

const env = (keys: Record<string, string>) => ({
  DATABASE_URL: database.url,
  ESPELHO_HOME: join(folder, 'home'),
  ...keys,
});
const keys = { ESPELHO_MASTER_KEY: NEW, ESPELHO_MASTER_KEY_OLD: OLD };

const put = async (api: Api, name: string, value: string) => {
  const { data, errors } = await api.ask(
    `mutation ($name: String!, $value: String!) { putSecret(name: $name, value: $value) { __typename } }`,
    officer(),
    { name, value },
  );
  expect([data?.putSecret, errors]).toEqual([{ __typename: 'PutSecretPayload' }, []]);
};

const reveal = async (api: Api, name: string, version?: number) =>
  api.ask(
    `mutation ($name: String!, $version: Int) { revealSecret(name: $name, version: $version, reason: "test") {
      ... on RevealSecretPayload { value } ... on UserError { code message } } }`,
    officer(),
    { name, version: version ?? null },
  );

const revealed = async (api: Api, name: string, version?: number) =>
  (await reveal(api, name, version)).data?.revealSecret.value;

const underOld = () => countToRekey(connection, both);

describe('two master keys', () => {
  it('open what either has sealed, and the first alone seals', () => {
    const place = { name: 'a', number: 1 };
    expect(unseal(both, place, seal(oldKey, place, 'x', randomBytes))).toBe('x');
    const sealed = seal(both, place, 'x', randomBytes);
    expect(unseal(masterKeyOf(NEW), place, sealed)).toBe('x');
    expect(() => unseal(oldKey, place, sealed)).toThrow(/ESPELHO_MASTER_KEY_OLD/);
  });

  it('wrap a data key anew, in its own place, and leave the value as it is', () => {
    const place = { name: 'a', number: 1 };
    const sealed = seal(oldKey, place, 'x', randomBytes);
    const wrappedKey = rewrap(both, place, sealed.wrappedKey, randomBytes);
    expect(unseal(masterKeyOf(NEW), place, { ...sealed, wrappedKey })).toBe('x');
    expect(() => unseal(oldKey, place, { ...sealed, wrappedKey })).toThrow(/another master key/);
    expect(() => rewrap(both, { name: 'a', number: 2 }, sealed.wrappedKey, randomBytes)).toThrow(/could not be opened/);
  });
});

describe('rekeying', () => {
  it('is continued where it was broken off, while gateways reveal and put', async () => {
    for (let at = 0; at < 12; at++) await put(behind, `resumed/${at}`, `value ${at}`);
    await put(behind, 'resumed/0', 'second');
    await put(behind, 'resumed/destroyed', 'x');
    await gateway.ask(
      `mutation { destroySecretVersion(name: "resumed/destroyed", version: 1) { __typename } }`,
      officer(),
    );
    expect(await underOld()).toBe(13);
    const options = { batch: 5, randomBytes };
    await expect(
      rekeySecrets(connection, both, {
        ...options,
        onProgress: () => {
          throw new Error('the power went');
        },
      }),
    ).rejects.toThrow('the power went');
    expect(await underOld()).toBe(8);
    for (let at = 0; at < 12; at++) {
      expect(await revealed(gateway, `resumed/${at}`)).toBe(at === 0 ? 'second' : `value ${at}`);
    }
    const told: number[] = [];
    const [outcome] = await Promise.all([
      rekeySecrets(connection, both, { ...options, onProgress: (done) => told.push(done) }),
      put(gateway, 'resumed/11', 'meanwhile'),
    ]);
    expect(outcome).toEqual({ rewrapped: 8, left: [], remaining: 0 });
    expect(told).toEqual([5, 8]);
    await database.psql`SELECT cache_barrier('30 seconds')`;
    expect(await revealed(gateway, 'resumed/0', 1)).toBe('value 0');
    expect(await revealed(gateway, 'resumed/11')).toBe('meanwhile');
    const alone = await startApi({ database, masterKey: NEW });
    try {
      for (let at = 1; at < 11; at++) expect(await revealed(alone, `resumed/${at}`)).toBe(`value ${at}`);
    } finally {
      await alone.close();
    }
    const refused = await reveal(behind, 'resumed/1');
    expect(refused.data).toBeNull();
    expect(refused.errors[0]?.message).toContain('ESPELHO_MASTER_KEY');
    expect(await countLocked(connection.query, oldKey)).toBe(14);
    expect(await countLocked(connection.query, both)).toBe(0);
    const rows =
      await database.psql`SELECT actor, after FROM changes WHERE key = 'resumed/0' AND action = 'rekeySecret'`;
    expect(rows).toEqual([{ actor: 'cli', after: { versions: [1, 2] } }]);
  });

  it('is done by two at once as by one', async () => {
    for (let at = 0; at < 10; at++) await put(behind, `twins/${at}`, `value ${at}`);
    const outcomes = await Promise.all([1, 2].map(() => rekeySecrets(connection, both, { batch: 3, randomBytes })));
    expect(outcomes.map(({ left, remaining }) => [left, remaining])).toEqual([
      [[], 0],
      [[], 0],
    ]);
    expect(outcomes.reduce((sum, { rewrapped }) => sum + rewrapped, 0)).toBe(10);
    expect(await revealed(gateway, 'twins/9')).toBe('value 9');
  });

  it('leaves what is damaged or under a third key, says which, and does all others', async () => {
    for (const name of ['left/damaged', 'left/fine', 'left/third']) await put(behind, name, name);
    const third = seal(masterKeyOf(THIRD), { name: 'left/third', number: 1 }, 'x', randomBytes);
    const { psql } = database;
    await psql`UPDATE secret_versions SET wrapped_key = set_byte(wrapped_key, 40, get_byte(wrapped_key, 40) # 1)
      WHERE name = 'left/damaged'`;
    await psql`UPDATE secret_versions SET (ciphertext, wrapped_key) = (${Buffer.from(third.ciphertext)}::bytea,
      ${Buffer.from(third.wrappedKey)}::bytea) WHERE name = 'left/third'`;
    const { code, out } = await espelho(env(keys), 'rekey', '--json');
    expect([code, JSON.parse(out)]).toEqual([
      1,
      {
        dryRun: false,
        rewrapped: 1,
        left: [
          { name: 'left/damaged', number: 1, reason: 'damaged' },
          { name: 'left/third', number: 1, reason: 'foreign-key' },
        ],
        remaining: 2,
      },
    ]);
    const readable = await espelho(env(keys), 'rekey');
    expect(readable.code).toBe(1);
    expect(readable.out).toContain('version 1 of left/damaged is damaged; restore it from a backup, or destroy it');
    expect(readable.out).toContain('version 1 of left/third is under a third master key');
    await psql`DELETE FROM security_values WHERE name LIKE 'left/%'`;
  });
});

describe('espelho rekey', () => {
  it('tries all first in a dry run, then does it, and then has nothing to do', async () => {
    await put(behind, 'cli/one', 'planted one');
    await put(behind, 'cli/two', 'planted two');
    const dry = await espelho(env(keys), 'rekey', '--dry-run');
    expect([dry.code, dry.out]).toEqual([0, expect.stringContaining('2 versions would come under the new master key')]);
    expect(await underOld()).toBe(2);
    const done = await espelho(env(keys), 'rekey');
    expect([done.code, done.err]).toEqual([0, '']);
    expect(done.out).toBe(
      '2 versions came under the new master key.\nNothing needs the old one any more: remove ESPELHO_MASTER_KEY_OLD.\n',
    );
    // The command has waited for the caches.
    expect(await revealed(gateway, 'cli/one')).toBe('planted one');
    const again = await espelho(env({ ESPELHO_MASTER_KEY: NEW }), 'rekey', '--json');
    expect([again.code, JSON.parse(again.out)]).toEqual([0, { dryRun: false, rewrapped: 0, left: [], remaining: 0 }]);
  });

  it('says what to set where a key is missing, and shows none', async () => {
    await put(behind, 'missing', 'x');
    const calls: [Record<string, string>, number, RegExp][] = [
      [{}, 2, /Set ESPELHO_MASTER_KEY to the new master key and ESPELHO_MASTER_KEY_OLD to the one before/],
      [
        { ESPELHO_MASTER_KEY: NEW },
        2,
        /1 version of secrets is stored under another master key: set ESPELHO_MASTER_KEY_OLD/,
      ],
      [{ ESPELHO_MASTER_KEY: NEW, ESPELHO_MASTER_KEY_OLD: NEW }, 1, /ESPELHO_MASTER_KEY_OLD is the same/],
      [{ ESPELHO_MASTER_KEY: NEW, ESPELHO_MASTER_KEY_OLD: 'cdcd' }, 1, /ESPELHO_MASTER_KEY_OLD must be 32 bytes/],
    ];
    for (const [given, expected, sentence] of calls) {
      const { code, out, err } = await espelho(env(given), 'rekey');
      expect([code, out, err]).toEqual([expected, '', expect.stringMatching(sentence)]);
      expect(err).not.toContain('cdcd');
    }
    expect(await underOld()).toBe(1);
  });
});
