// From the moment a writer is about to commit until its outcome is known to the store, nobody is answered its old value
// from there, and no refill from an older snapshot is taken.
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Clock, partitionOf } from '../../src/cache/index.js';
import { FENCE_GRACE_MS } from '../../src/cache/store.js';
import { testClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { elapse } from '../support/elapse.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { createNotes } from '../support/notes.js';
import { redisCli } from '../support/redis.js';
import { beginWriting, type Writing, writeNote } from '../support/writing.js';

/** More than any machine needs for one test. */
const AGES_MS = 600_000;

describe.each(['redis', 'memory'] as const)('a fence in %s', (store) => {
  const time = testClock();
  /** How long readers waited for somebody else's refill: 2, 4, 8 … ms. */
  const waits: number[] = [];
  const clock: Clock = {
    ...time,
    sleep: (ms) => {
      if (Math.log2(ms) % 1 === 0) waits.push(ms);
      return time.sleep(ms);
    },
  };
  const cli = redisCli(inject('redisUrl'));
  let database: TestDatabase;
  let gateway: Gateway;
  let key: string;
  let keys = 0;
  const entry = () => ({ view: 'note', key });
  const story = () => gateway.story.of('note', key);
  const pass = async (ms: number) => {
    if (store === 'memory') return time.skip(ms);
    const tag = `{${database.installation}.${partitionOf('note', key, database.partitions)}}`;
    await elapse(cli, { tag, view: 'note', key }, ms);
  };
  /** Fences, as a moment ago: the fence stays young however long the test takes. */
  const fenceYoung = async (writing: Writing) => {
    await writing.fence();
    await pass(-AGES_MS);
  };
  const graceIsOver = () => pass(AGES_MS + FENCE_GRACE_MS + 1);

  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    gateway = await openGateway(database, { store, clock });
    await gateway.holdRelay(); // what it would mend must hold without it
  });
  afterAll(async () => {
    cli.disconnect();
    await gateway.close();
    await database.close();
  });
  beforeEach(async () => {
    key = `note ${keys++}`;
    await database.psql`INSERT INTO notes VALUES (${key}, 'old')`;
    gateway.story.clear();
  });
  const filled = async () => {
    expect(await gateway.note(key)).toBe('old');
    await gateway.story.until('filled', entry());
    gateway.story.clear();
  };

  it('refuses a refill older than a write that finished meanwhile', async () => {
    const loaded = gateway.source.gates.close('load', 'after');
    const reading = gateway.note(key);
    await loaded.reached;
    await writeNote(gateway, key, 'new');
    loaded.open();
    await reading;
    await gateway.story.until('refused', entry());
    expect(await gateway.note(key)).toBe('new');
    expect(story()).toEqual(['fence', 'published', 'loaded', 'miss', 'refused', 'hit']);
  });

  it('refuses a refill when a write begins between its grant and its fill', async () => {
    const loaded = gateway.source.gates.close('load', 'after');
    const reading = gateway.note(key);
    await loaded.reached;
    const writing = await beginWriting(gateway, key, 'new');
    await writing.fence();
    loaded.open();
    expect(await reading).toBe('old');
    await gateway.story.until('refused', entry());
    await writing.commit();
    await writing.settle();
    expect(await gateway.note(key)).toBe('new');
    expect(story()).toEqual(['fence', 'loaded', 'miss', 'refused', 'published', 'hit']);
  });

  it('refuses a refill that arrives after a write was fenced, committed and left by its writer', async () => {
    const stored = gateway.atStore.close('fill');
    const reading = gateway.note(key);
    await stored.reached;
    const writing = await beginWriting(gateway, key, 'new');
    await writing.fence();
    await writing.commit();
    stored.open();
    await reading;
    await gateway.story.until('refused', entry());
    expect(await gateway.note(key)).toBe('new');
  });

  it('hides the old value while its writer commits; readers ask SQL and fill nothing', async () => {
    await filled();
    const writing = await beginWriting(gateway, key, 'new');
    await fenceYoung(writing);
    expect(await gateway.note(key)).toBe('old');
    await writing.commit();
    expect(await gateway.note(key)).toBe('new');
    await writing.settle();
    expect(await gateway.note(key)).toBe('new');
    expect(story()).toEqual(['fence', 'loaded', 'fenced', 'loaded', 'fenced', 'published', 'hit']);
  });

  it('shows the old value again, out of the store, when its writer rolled back', async () => {
    await filled();
    const writing = await beginWriting(gateway, key, 'new');
    await writing.fence();
    await writing.rollback();
    await writing.lift();
    expect(await gateway.note(key)).toBe('old');
    expect(story()).toEqual(['fence', 'lifted', 'hit']);
  });

  it('of a writer that was killed before COMMIT ends with the next refill, which shows the old value', async () => {
    await filled();
    const writing = await beginWriting(gateway, key, 'new');
    await fenceYoung(writing);
    await writing.rollback();
    expect(await gateway.note(key)).toBe('old');
    await graceIsOver();
    expect(await gateway.note(key)).toBe('old');
    await gateway.story.until('filled', entry());
    expect(await gateway.note(key)).toBe('old');
    expect(story()).toEqual(['fence', 'loaded', 'fenced', 'loaded', 'miss', 'filled', 'hit']);
  });

  it('of a writer that was killed after COMMIT ends with the next refill, which shows the new value', async () => {
    await filled();
    const writing = await beginWriting(gateway, key, 'new');
    await fenceYoung(writing);
    await writing.commit();
    expect(await gateway.note(key)).toBe('new');
    await graceIsOver();
    expect(await gateway.note(key)).toBe('new');
    await gateway.story.until('filled', entry());
    expect(await gateway.note(key)).toBe('new');
    expect(story()).toEqual(['fence', 'loaded', 'fenced', 'loaded', 'miss', 'filled', 'hit']);
  });

  it('of a writer that takes long to commit lets nobody fill what it is about to change', async () => {
    await filled();
    const writing = await beginWriting(gateway, key, 'new');
    await fenceYoung(writing);
    await graceIsOver();
    expect(await gateway.note(key)).toBe('old');
    await gateway.story.until('unfillable', entry());
    expect(story()).toEqual(['fence', 'loaded', 'unfillable', 'miss']);
    await writing.commit();
    expect(await writing.settle()).toBe(true);
    expect(await gateway.note(key)).toBe('new');
  });

  it('of a writer that takes long to commit costs its readers SQL, not waiting', async () => {
    await filled();
    const writing = await beginWriting(gateway, key, 'new');
    await fenceYoung(writing);
    await graceIsOver();
    await gateway.note(key);
    await gateway.story.until('unfillable', entry());
    waits.length = 0;
    const sent = gateway.source.sent();
    for (let reads = 0; reads < 20; reads++) expect(await gateway.note(key)).toBe('old');
    expect(gateway.source.sent() - sent).toBe(20);
    expect(waits).toEqual([]);
    await writing.rollback();
    await writing.lift();
  });

  it('of a writer that was killed, and whose transaction took a while to end, ends with the next refill after that', async () => {
    await filled();
    const writing = await beginWriting(gateway, key, 'new');
    await fenceYoung(writing);
    await graceIsOver();
    await gateway.note(key);
    await gateway.story.until('unfillable', entry());
    await writing.rollback();
    await eventually(async () => {
      expect(await gateway.note(key)).toBe('old');
      return story().at(-1) === 'hit';
    }, 1_000); // less than a lease lasts
    expect(story().filter((kind) => kind === 'filled')).toEqual(['filled']);
  });

  it('that nobody meets any more is swept away once its transaction has ended', async () => {
    await filled();
    const writing = await beginWriting(gateway, key, 'new');
    await writing.fence();
    await writing.rollback();
    gateway.atRelay.openAll();
    await eventually(async () => {
      time.skip(1_000); // less than a lease lasts
      return (await gateway.cache.inspect('note', key))?.state === 'absent';
    });
    expect(await gateway.note(key)).toBe('old');
  });
});
