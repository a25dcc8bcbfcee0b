// From the moment a writer is about to commit until its outcome is known to the store, nobody is answered its old value
// from there, and no refill from an older snapshot is taken.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FENCE_GRACE_MS } from '../../src/cache/store.js';
import { testClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { createNotes } from '../support/notes.js';
import { beginWriting, writeNote } from '../support/writing.js';

describe.each(['redis', 'memory'] as const)('a fence in %s', (store) => {
  const clock = testClock();
  let database: TestDatabase;
  let gateway: Gateway;
  let key: string;
  let keys = 0;
  const entry = () => ({ view: 'note', key });
  const story = () => gateway.story.of('note', key);
  const graceIsOver = () => {
    if (store === 'memory') clock.skip(FENCE_GRACE_MS + 1);
    return new Promise((resolve) => setTimeout(resolve, store === 'memory' ? 0 : FENCE_GRACE_MS + 10));
  };

  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    gateway = await openGateway(database, { store, clock });
    gateway.atRelay.close('look'); // what the relay would mend must hold without it
  });
  afterAll(async () => {
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
    await writing.fence();
    expect(await gateway.note(key)).toBe('old');
    await writing.commit();
    expect(await gateway.note(key)).toBe('new');
    await writing.settle();
    expect(await gateway.note(key)).toBe('new');
    const answers = story().filter((kind) => kind !== 'loaded' && kind !== 'miss' && kind !== 'unfillable');
    expect(answers[0]).toBe('fence');
    expect(answers).not.toContain('filled');
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
    await writing.fence();
    await writing.rollback();
    expect(await gateway.note(key)).toBe('old');
    await graceIsOver();
    expect(await gateway.note(key)).toBe('old');
    await gateway.story.until('filled', entry());
    expect(await gateway.note(key)).toBe('old');
    expect(story().slice(-4)).toEqual(['loaded', 'miss', 'filled', 'hit']);
  });

  it('of a writer that was killed after COMMIT ends with the next refill, which shows the new value', async () => {
    await filled();
    const writing = await beginWriting(gateway, key, 'new');
    await writing.fence();
    await writing.commit();
    expect(await gateway.note(key)).toBe('new');
    await graceIsOver();
    expect(await gateway.note(key)).toBe('new');
    await gateway.story.until('filled', entry());
    expect(await gateway.note(key)).toBe('new');
    expect(story().slice(-4)).toEqual(['loaded', 'miss', 'filled', 'hit']);
  });

  it('of a writer that takes long to commit lets nobody fill what it is about to change', async () => {
    await filled();
    const writing = await beginWriting(gateway, key, 'new');
    await writing.fence();
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
    await writing.fence();
    await graceIsOver();
    await gateway.note(key);
    await gateway.story.until('unfillable', entry());
    const startedMs = performance.now();
    for (let reads = 0; reads < 20; reads++) expect(await gateway.note(key)).toBe('old');
    expect(performance.now() - startedMs).toBeLessThan(2_000); // waiting for each would take 5 s
    await writing.rollback();
    await writing.lift();
  });

  it('that nobody meets any more is swept away once its transaction has ended', async () => {
    await filled();
    const writing = await beginWriting(gateway, key, 'new');
    await writing.fence();
    await writing.rollback();
    gateway.atRelay.openAll();
    await eventually(async () => {
      clock.skip(5_001);
      return (await gateway.cache.inspect('note', key))?.state === 'absent';
    });
    expect(await gateway.note(key)).toBe('old');
  });
});
