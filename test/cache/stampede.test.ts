// However many readers miss a key together, SQL is asked once; and nobody is handed an answer to a question that was
// sent before their own read began.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/cache/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { createNotes } from '../support/notes.js';
import { writeNote } from '../support/writing.js';

const READERS = 200;

describe.each(['redis', 'memory'] as const)('a cold key in %s', (store) => {
  let database: TestDatabase;
  let gateway: Gateway;
  let key: string;
  let keys = 0;

  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    gateway = await openGateway(database, { store });
    await gateway.holdRelay();
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

  it(`costs one statement for ${READERS} readers at once`, async () => {
    const sent = gateway.source.sent();
    const notes = await Promise.all(Array.from({ length: READERS }, () => gateway.note(key)));
    expect(new Set(notes)).toEqual(new Set(['old']));
    expect(gateway.source.sent() - sent).toBe(1);
    expect(gateway.story.all('flush')).toHaveLength(1);
  });

  it(`costs one statement for ${READERS} readers who come while it is under way`, async () => {
    const sent = gateway.source.sent();
    const loaded = gateway.source.gates.close('load', 'after');
    const readings = [gateway.note(key)];
    await loaded.reached;
    for (let reader = 1; reader < READERS; reader++) readings.push(gateway.note(key));
    await gateway.story.until('flush', undefined, 2);
    loaded.open();
    expect(new Set(await Promise.all(readings))).toEqual(new Set(['old']));
    expect(gateway.source.sent() - sent).toBe(1);
  });

  it('costs one statement when nothing is found, too', async () => {
    const sent = gateway.source.sent();
    const notes = await Promise.all(Array.from({ length: READERS }, () => gateway.note(`${key} unknown`)));
    expect(new Set(notes)).toEqual(new Set([undefined]));
    await gateway.story.until('filled', { view: 'note', key: `${key} unknown` });
    expect(await gateway.note(`${key} unknown`)).toBeUndefined();
    expect(gateway.source.sent() - sent).toBe(1);
  });

  it('fails for every reader of a statement that fails, and for no reader after', async () => {
    gateway.source.failNext(new Error('The statement failed.'));
    const readings = await Promise.allSettled(Array.from({ length: READERS }, () => gateway.note(key)));
    expect(new Set(readings.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(await gateway.note(key)).toBe('old');
  });

  it('never gives a reader the answer of a statement sent before the read began', async () => {
    const loaded = gateway.source.gates.close('load', 'after');
    const early = gateway.note(key);
    await loaded.reached;
    expect(await writeNote(gateway, key, 'new')).toBe(true);
    const late = gateway.note(key);
    expect(await late).toBe('new');
    loaded.open();
    expect(await early).toBe('old');
    expect(await gateway.note(key)).toBe('new');
  });

  it('never gives a reader the answer of a store batch sent before the read began', async () => {
    await gateway.note(key);
    await gateway.story.until('filled', { view: 'note', key });
    const answered = gateway.atStore.close('read', 'after');
    const early = gateway.note(key);
    await answered.reached;
    expect(await writeNote(gateway, key, 'new')).toBe(true);
    const late = gateway.note(key);
    answered.open();
    expect(await early).toBe('old');
    expect(await late).toBe('new');
  });
});

describe('two gateways on one Redis', () => {
  let database: TestDatabase;
  let one: Gateway;
  let two: Gateway;
  /** Readers of the second gateway who wait for the first: 2, 4, 8 … ms, or as long as the test says. */
  const waiting: (() => void)[] = [];
  const patient: Clock = {
    ...systemClock,
    sleep: (ms) => {
      if (Math.log2(ms) % 1 !== 0) return systemClock.sleep(ms);
      return new Promise((resolve) => void waiting.push(resolve));
    },
  };

  beforeAll(async () => {
    database = await createDatabase();
    await createNotes(database);
    one = await openGateway(database);
    two = await openGateway(database, { clock: patient });
    await Promise.all([one, two].map((each) => each.holdRelay()));
  });
  afterAll(async () => {
    await Promise.all([one.close(), two.close()]);
    await database.close();
  });

  it(`ask SQL once for a cold key with ${READERS} readers on each`, async () => {
    await database.psql`INSERT INTO notes VALUES ('shared', 'old')`;
    const loaded = one.source.gates.close('load', 'after');
    const first = Array.from({ length: READERS }, () => one.note('shared'));
    await loaded.reached;
    const second = Array.from({ length: READERS }, () => two.note('shared'));
    await eventually(() => waiting.length === READERS);
    loaded.open();
    await one.story.until('filled');
    for (const wake of waiting) wake();
    expect(new Set(await Promise.all([...first, ...second]))).toEqual(new Set(['old']));
    expect([one.source.sent(), two.source.sent()]).toEqual([1, 0]);
  });
});
