// TTLs as parameters: what is set at run time over the environment over the code, for what is stored from then on.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { JITTER, type RuntimeTtls } from '../../src/cache/index.js';
import { testClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { createNotes, linesView, noteView } from '../support/notes.js';
import { writeNote } from '../support/writing.js';

describe('a TTL', () => {
  let database: TestDatabase;
  let gateway: Gateway | undefined;
  let runtime: RuntimeTtls;
  let look: () => Promise<RuntimeTtls>;

  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    await database.psql`INSERT INTO notes SELECT 'n' || n, 'text' FROM generate_series(1, 9) AS n`;
    return () => database.close();
  });
  afterEach(() => gateway?.close());
  const open = async (overrides = new Map<string, number>()) => {
    runtime = new Map();
    look = async () => runtime;
    gateway = await openGateway(database, {
      store: 'memory',
      clock: testClock(),
      random: () => 0,
      overrides,
      runtimeTtls: () => look(),
    });
    await gateway.holdRelay();
    return gateway;
  };
  const set = (ttlMs: number, version = '1') => {
    runtime = new Map([['note', { ttlMs, version }]]);
  };
  const lifeOf = async (from: Gateway, key: string) => {
    await from.note(key);
    await from.story.until('filled', { view: 'note', key });
    return Math.ceil(((await from.cache.inspect('note', key))?.ttlMs ?? 0) / 1_000);
  };

  it('set at run time goes over the environment, which goes over the code', async () => {
    const from = await open(new Map([['note', 60_000]]));
    expect(from.cache.ttlOf('note')).toEqual({ ttlMs: 60_000, source: 'ENVIRONMENT' });
    set(30_000, '7');
    await from.cache.learnPolicies();
    expect(from.cache.ttlOf('note')).toEqual({ ttlMs: 30_000, source: 'RUNTIME', version: '7' });
    expect(from.cache.ttlOf('board')).toEqual({ ttlMs: 3_600_000, source: 'CODE' });
    runtime = new Map();
    await from.cache.learnPolicies();
    expect(from.cache.ttlOf('note').source).toBe('ENVIRONMENT');
  });

  it('holds for refills and for what a write publishes, from the moment that it is learned', async () => {
    const from = await open();
    set(30_000);
    expect(await lifeOf(from, 'n1')).toBe(3_600);
    await from.cache.learnPolicies();
    expect(await lifeOf(from, 'n2')).toBe(30);
    await writeNote(from, 'n3', 'new');
    expect(Math.ceil(((await from.cache.inspect('note', 'n3'))?.ttlMs ?? 0) / 1_000)).toBe(30);
  });

  it('leaves entries that stand their life, until they are loaded anew', async () => {
    const from = await open();
    expect(await lifeOf(from, 'n4')).toBe(3_600);
    set(30_000);
    await from.cache.learnPolicies();
    expect(await lifeOf(from, 'n4')).toBe(3_600);
    expect(await from.cache.reload('note', ['n4'])).toBe(1);
    expect(await lifeOf(from, 'n4')).toBe(30);
  });

  it('stays as it was learned when the next look fails', async () => {
    const from = await open();
    set(30_000);
    await from.cache.learnPolicies();
    look = () => Promise.reject(new Error('Postgres is out of reach.'));
    await expect(from.cache.learnPolicies()).rejects.toThrow('out of reach');
    expect(from.cache.ttlOf('note').ttlMs).toBe(30_000);
  });

  it('that a slow look saw is not put back over what a later one saw', async () => {
    const from = await open();
    let answer = (_: RuntimeTtls) => {};
    look = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const slow = from.cache.learnPolicies();
    await Promise.resolve();
    const before = runtime;
    const late = from.cache.learnPolicies();
    look = async () => runtime;
    set(30_000);
    answer(before);
    await Promise.all([slow, late]);
    expect(from.cache.ttlOf('note').ttlMs).toBe(30_000);
  });

  it('is told for every view, with shape, mode and jitter', async () => {
    const from = await open();
    set(30_000, '7');
    await from.cache.learnPolicies();
    expect(from.cache.policies()).toEqual([
      { view: 'note', shape: 'text', mode: 'strict', ttlMs: 30_000, source: 'RUNTIME', version: '7', jitter: JITTER },
      { view: 'board', shape: 'text', mode: 'available', ttlMs: 3_600_000, source: 'CODE', jitter: JITTER },
      { view: 'note-lines', shape: 'list', mode: 'strict', ttlMs: 3_600_000, source: 'CODE', jitter: JITTER },
    ]);
    expect([noteView.mode, linesView.shape]).toEqual(['strict', 'list']);
  });
});
