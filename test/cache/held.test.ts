// A value that a reader holds is not moved again, and is answered only while the store says that it is the one that stands.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Held, readUnder } from '../../src/cache/held.js';
import type { Guard, Hit } from '../../src/cache/store.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { createNotes, noteView } from '../support/notes.js';
import { writeNote } from '../support/writing.js';

describe.each(['redis', 'memory'] as const)('a value that is held, in %s', (store) => {
  let database: TestDatabase;
  let gateway: Gateway;
  let key: string;
  let keys = 0;
  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    gateway = await openGateway(database, { store });
  });
  afterAll(async () => {
    await gateway.close();
    await database.close();
  });
  beforeEach(async () => {
    key = `held ${keys++}`;
    expect(await writeNote(gateway, key, 'old')).toBe(true);
  });

  const read = () => gateway.cache.request().read(noteView, key);
  const textOf = async () => {
    const found = await read();
    return found.kind === 'present' ? found.value : null;
  };
  /** Reads until it is held: the same object twice. */
  const hold = () =>
    eventually(async () => {
      const first = await read();
      return first === (await read());
    });

  it('is the same object for each request, and counts as a hit each time', async () => {
    await hold();
    const held = await read();
    gateway.story.clear();
    await eventually(async () => (await read()) === held && gateway.story.of('note', key).at(-1) === 'hit');
  });

  it('is never answered once a newer one is acknowledged', async () => {
    for (let count = 0; count < 20; count++) {
      await hold();
      expect(await writeNote(gateway, key, `text ${count}`)).toBe(true);
      expect(await textOf()).toBe(`text ${count}`);
    }
  });

  it('is never answered once it is deleted, nor is its absence once it is written', async () => {
    await hold();
    expect(await writeNote(gateway, key, null)).toBe(true);
    expect(await textOf()).toBeNull();
    await hold();
    expect(await writeNote(gateway, key, 'again')).toBe(true);
    expect(await textOf()).toBe('again');
  });
});

describe('what is held', () => {
  const guard: Guard = { incarnation: 'i', epoch: '1', generation: '1' };
  const hit: Hit = {
    kind: 'hit',
    version: '1',
    changedAtMs: 0,
    ageMs: 0,
    ttlMs: 1_000,
    value: '"text"',
    members: [],
    count: 0,
    stamp: '1:1',
  };
  const value = { key: 'k', partition: 0, guard, hit };

  it('is what was read twice', () => {
    const held = new Held();
    expect(held.take('note:k:', value)).toBeUndefined();
    expect(held.of('note:k:', 'k')).toBeUndefined();
    expect(held.take('note:k:', value)?.hit).toBe(hit);
    expect(held.of('note:k:', 'k')?.hit).toBe(hit);
  });

  it('is unknown under any other guard, though that says the same, and under another key', () => {
    const held = new Held();
    held.take('note:k:', value);
    held.take('note:k:', value);
    expect(held.of('note:k:', 'other')).toBeUndefined();
    const found = held.of('note:k:', 'k');
    expect(readUnder(guard, found)).toBe(found);
    expect(readUnder({ ...guard }, found)).toBeUndefined();
  });

  it('is nothing with a name as long as that of a membership of many', () => {
    const held = new Held();
    const name = `note:k:${'x'.repeat(1_000)}`;
    for (let time = 0; time < 3; time++) expect(held.take(name, value)).toBeUndefined();
    expect(held.of(name, 'k')).toBeUndefined();
  });

  it('has a bound: of a thousand large values the oldest are gone', () => {
    const held = new Held();
    const large = { ...value, hit: { ...hit, value: 'x'.repeat(100_000) } };
    for (let at = 0; at < 1_000; at++) for (let time = 0; time < 2; time++) held.take(`note:${at}:`, large);
    expect(held.of('note:0:', 'k')).toBeUndefined();
    expect(held.of('note:999:', 'k')).toBeDefined();
  });
});
