// When a write is acknowledged, the store holds its value or none: no publish, however late, puts an older one there.
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { partitionOf } from '../../src/cache/index.js';
import { FENCE_GRACE_MS } from '../../src/cache/store.js';
import { testClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { elapse } from '../support/elapse.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { boardView, createNotes } from '../support/notes.js';
import { redisCli } from '../support/redis.js';
import { beginWriting, writeNote } from '../support/writing.js';

describe.each(['redis', 'memory'] as const)('a publish to %s', (store) => {
  let database: TestDatabase;
  let gateway: Gateway;
  /** A second gateway where the store may be shared, else the same one. */
  let other: Gateway;
  let key: string;
  let keys = 0;
  const clock = testClock();
  const cli = redisCli(inject('redisUrl'));
  const graceIsOver = async () => {
    if (store === 'memory') return clock.skip(FENCE_GRACE_MS + 1);
    const tag = `{${database.installation}.${partitionOf('note', key, database.partitions)}}`;
    await elapse(cli, { tag, view: 'note', key }, FENCE_GRACE_MS + 1);
  };

  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    gateway = await openGateway(database, { store, clock });
    other = store === 'redis' ? await openGateway(database) : gateway;
    await Promise.all([...new Set([gateway, other])].map((each) => each.holdRelay()));
  });
  afterAll(async () => {
    cli.disconnect();
    await gateway.close();
    if (other !== gateway) await other.close();
    await database.close();
  });
  beforeEach(async () => {
    key = `note ${keys++}`;
    await database.psql`INSERT INTO notes VALUES (${key}, 'old')`;
    expect(await gateway.note(key)).toBe('old');
    await gateway.story.until('filled', { view: 'note', key });
    for (const each of [gateway, other]) each.story.clear();
  });

  it('leaves the new value in the store by the time it is acknowledged', async () => {
    expect(await writeNote(gateway, key, 'new')).toBe(true);
    const sent = other.source.sent();
    expect(await other.note(key)).toBe('new');
    expect(other.source.sent()).toBe(sent);
    expect(gateway.story.of('note', key).slice(0, 2)).toEqual(['fence', 'published']);
    expect(other.story.of('note', key).at(-1)).toBe('hit');
  });

  it('covers every view that the transaction changed', async () => {
    await gateway.read(boardView, key);
    await gateway.story.until('filled', { view: 'board', key });
    await writeNote(gateway, key, 'new');
    expect(await other.read(boardView, key)).toBe('new');
    expect(other.story.of('board', key).at(-1)).toBe('hit');
  });

  it('of a deletion leaves the knowledge that there is nothing', async () => {
    await writeNote(gateway, key, null);
    const sent = other.source.sent();
    expect(await other.note(key)).toBeUndefined();
    expect(other.source.sent()).toBe(sent);
  });

  it('of a creation replaces the knowledge that there is nothing', async () => {
    const created = `${key} created`;
    expect(await other.note(created)).toBeUndefined();
    await other.story.until('filled', { view: 'note', key: created });
    await writeNote(gateway, created, 'new');
    expect(await other.note(created)).toBe('new');
    expect(other.story.of('note', created).at(-1)).toBe('hit');
  });

  it('of two writers in sequence leaves the second value', async () => {
    await writeNote(gateway, key, 'first');
    await writeNote(other, key, 'second');
    expect(await gateway.note(key)).toBe('second');
    expect(gateway.story.of('note', key).at(-1)).toBe('hit');
  });

  it('that is delayed until a second writer was acknowledged changes nothing', async () => {
    const first = await beginWriting(gateway, key, 'first');
    await first.fence();
    await first.commit();
    const delayed = gateway.atStore.close('publish');
    const settled = first.settle();
    await delayed.reached;
    if (other === gateway) delayed.open(); // one process: the publishes themselves cannot overtake
    expect(await writeNote(other, key, 'second')).toBe(true);
    delayed.open();
    expect(await settled).toBe(true);
    expect(await gateway.note(key)).toBe('second');
    expect(gateway.story.of('note', key).at(-1)).toBe('hit');
  });

  it('that is delayed while a second writer is between fence and COMMIT shows neither value too early', async () => {
    const first = await beginWriting(gateway, key, 'first');
    await first.fence();
    await first.commit();
    const second = await beginWriting(other, key, 'second');
    await second.fence();
    expect(await first.settle()).toBe(true);
    expect(await other.note(key)).toBe('first');
    await second.commit();
    expect(await gateway.note(key)).toBe('second');
    expect(await second.settle()).toBe(true);
    expect(await gateway.note(key)).toBe('second');
  });

  it('that comes after a reader has refilled keeps the refill', async () => {
    const writing = await beginWriting(gateway, key, 'new');
    await writing.fence();
    await writing.commit();
    await graceIsOver();
    expect(await other.note(key)).toBe('new');
    await other.story.until('filled', { view: 'note', key });
    expect(await writing.settle()).toBe(true);
    expect(await gateway.note(key)).toBe('new');
    expect(gateway.story.of('note', key).slice(-2)).toEqual(['dropped', 'hit']);
  });

  it('is not undone by the late lift of a writer that rolled back before', async () => {
    const aborted = await beginWriting(gateway, key, 'never');
    await aborted.fence();
    await aborted.rollback();
    await writeNote(other, key, 'new');
    await aborted.lift();
    expect(await gateway.note(key)).toBe('new');
    expect(gateway.story.of('note', key).at(-1)).toBe('hit');
  });

  it('is acknowledged once every entry is confirmed, in whatever partition', async () => {
    const written = Array.from({ length: 40 }, (_, index) => `${key} ${index}`);
    await Promise.all(written.map((each) => writeNote(gateway, each, 'new')));
    const sent = other.source.sent();
    const notes = await Promise.all(written.map((each) => other.note(each)));
    expect(new Set(notes)).toEqual(new Set(['new']));
    expect(other.source.sent()).toBe(sent);
  });
});
