// A cold or lost store sends every reader to SQL at once: no more is asked of it at a time than it can take, what waits
// is bounded in number and time, and whoever is refused is told so, while the rest is served.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BoundedBatches, type ConcurrencyLimits } from '../../src/cache/concurrency.js';
import { type AnyView, CacheUnavailable, Overloaded, type Store, systemClock } from '../../src/cache/index.js';
import type { Query } from '../../src/db/index.js';
import { testClock } from '../support/clock.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, type GatewayOptions, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { boardView, createNotes, noteView } from '../support/notes.js';
import { beginWriting, writeNote } from '../support/writing.js';

/** Resolves when everything that is ready has run, and what that deferred. */
const nextTurn = () => new Promise<void>((resolve) => systemClock.defer(resolve));

/** The answer, or why it was refused. */
const outcomeOf = (answer: Promise<string | undefined>) =>
  answer.catch((error) => (error instanceof Overloaded ? `${error.code} ${error.reason}` : error));

describe('of the questions for SQL', () => {
  const clock = testClock();
  const [notes, boards] = [{ name: 'note' }, { name: 'board' }];

  /** Batches that end when the test says; a question is answered by its own name. */
  function openBatches(limits: Partial<ConcurrencyLimits>, questionsPerBatch = 2) {
    const sent: string[] = [];
    const underWay: (() => void)[] = [];
    const batches = new BoundedBatches<{ name: string }, string, string>({
      limits: { underWay: 1, waiting: 100, waitMs: 2_000, ...limits },
      clock,
      questionsPerBatch,
      send: async (line, asked) => {
        sent.push(`${line.name} ${asked.map(({ question }) => question).join(' ')}`);
        await new Promise<void>((resolve) => underWay.push(resolve));
        for (const { question, resolve } of asked) resolve(question);
      },
      refused: () => {},
    });
    const ask = (line: { name: string }, ...names: string[]) =>
      names.map((name) => outcomeOf(batches.ask(line, name, name).answer));
    const endOne = async () => {
      underWay.shift()?.();
      await nextTurn();
      await nextTurn();
    };
    return { ask, sent, underWay, endOne };
  }

  it('those of one turn are sent together, as many batches at a time as are allowed', async () => {
    const { ask, sent, underWay, endOne } = openBatches({ underWay: 2 });
    const answers = ask(notes, 'a', 'b', 'c', 'd', 'e', 'f', 'g');
    expect(sent).toEqual([]);
    await nextTurn();
    expect(sent).toEqual(['note a b', 'note c d']);
    await endOne();
    expect(sent).toEqual(['note a b', 'note c d', 'note e f']);
    expect(underWay).toHaveLength(2);
    await endOne();
    await endOne();
    await endOne();
    expect(sent).toHaveLength(4);
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('one that waits is joined by everyone who asks the same; one that is sent is joined by nobody', async () => {
    const { ask, sent, endOne } = openBatches({});
    const answers = ask(notes, 'a');
    await nextTurn();
    for (let reader = 0; reader < 1_000; reader++) {
      answers.push(...ask(notes, 'a'));
      if (reader % 100 === 0) await nextTurn();
    }
    await endOne();
    expect(sent).toEqual(['note a', 'note a']);
    await endOne();
    expect(sent).toHaveLength(2);
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['a']));
  });

  it('views take turns, however much one of them asks', async () => {
    const { ask, sent, endOne } = openBatches({});
    ask(notes, 'a', 'b', 'c', 'd', 'e', 'f');
    ask(boards, 'x', 'y', 'z');
    await nextTurn();
    for (let batch = 0; batch < 5; batch++) await endOne();
    expect(sent).toEqual(['note a b', 'board x y', 'note c d', 'board z', 'note e f']);
  });

  it('one too many is refused at once, and joins are none too many', async () => {
    const { ask, endOne } = openBatches({ waiting: 2 }, 10);
    const early = ask(notes, 'a');
    await nextTurn();
    const answers = ask(notes, 'b', 'c', 'd', 'b', 'c');
    expect(await answers[2]).toEqual('OVERLOADED full');
    await endOne();
    const late = ask(notes, 'd');
    await endOne();
    await endOne();
    expect(await Promise.all([...early, ...answers, ...late])).toEqual([
      'a',
      'b',
      'c',
      'OVERLOADED full',
      'b',
      'c',
      'd',
    ]);
  });

  it('those of a view that fills the queue make room for those of another, up to as many', async () => {
    const { ask, endOne } = openBatches({ waiting: 4 }, 10);
    ask(notes, 'under way');
    await nextTurn();
    const greedy = ask(notes, 'a', 'b', 'c', 'd');
    const modest = ask(boards, 'x', 'y', 'z');
    for (let batch = 0; batch < 3; batch++) await endOne();
    expect(await Promise.all(greedy)).toEqual(['OVERLOADED full', 'OVERLOADED full', 'c', 'd']);
    expect(await Promise.all(modest)).toEqual(['x', 'y', 'OVERLOADED full']);
  });

  it('one that has waited too long is refused, and those after it go on', async () => {
    const { ask, sent, endOne } = openBatches({ waitMs: 60_000 });
    ask(notes, 'under way');
    await nextTurn();
    const early = ask(notes, 'a', 'b');
    await nextTurn();
    clock.skip(40_000);
    const late = ask(boards, 'c');
    clock.skip(30_000);
    expect(await Promise.all(early)).toEqual(['OVERLOADED late', 'OVERLOADED late']);
    await endOne();
    await endOne();
    expect(await Promise.all(late)).toEqual(['c']);
    expect(sent).toEqual(['note under way', 'board c']);
  });
});

/** Trusted stores grant leases; a store that does not answer sends every read to SQL as it is. */
const stores: Readonly<Record<string, GatewayOptions>> = {
  'a cold Redis': { store: 'redis' },
  'a cold memory': { store: 'memory' },
  'a store that is lost': { store: 'memory', start: false },
};

describe.each(Object.keys(stores))('with %s', (name) => {
  let database: TestDatabase;
  let gateway: Gateway;
  const statements = { underWay: 0, most: 0 };

  /** The view with its statements counted. */
  const counted = <View extends AnyView<Query>>(view: View): View => ({
    ...view,
    load: async (query, keys) => {
      if (query !== gateway.source.query) return view.load(query, keys); // a writer's own
      statements.most = Math.max(statements.most, ++statements.underWay);
      try {
        return await view.load(query, keys);
      } finally {
        statements.underWay--;
      }
    },
  });
  const [note, board] = [counted(noteView), counted(boardView)];
  const leased = stores[name]?.start !== false;

  const open = async (limits: Partial<ConcurrencyLimits>) => {
    const patient = { waitMs: 600_000, ...limits };
    gateway = await openGateway(database, { ...stores[name], views: [note, board], limits: patient });
    gateway.atRelay.close('look');
  };
  const write = (keys: readonly string[]) =>
    database.psql`INSERT INTO notes SELECT key, 'text of ' || key FROM unnest(${[...keys]}::text[]) AS key`;
  const keysOf = (start: string, count: number) => Array.from({ length: count }, (_, at) => `${start} ${at}`);
  const textsOf = (keys: readonly string[]) => keys.map((key) => `text of ${key}`);
  const readAll = (keys: readonly string[]) => keys.map((key) => outcomeOf(gateway.read(note, key)));

  beforeEach(async () => {
    Object.assign(statements, { underWay: 0, most: 0 });
    database = await createDatabase();
    await createNotes(database);
  });
  afterEach(async () => {
    await gateway.close();
    await database.close();
  });

  it('2,000 keys asked for by many readers cost no more statements at a time than allowed, and all are answered', async () => {
    const keys = keysOf('cold', 2_000);
    await write(keys);
    await open({ underWay: 3 });
    const gate = gateway.source.gates.close('load');
    const asked: string[] = [];
    const answers: Promise<string | undefined>[] = [];
    for (let at = 0; at < keys.length; at += 250) {
      const some = keys.slice(at, at + 250);
      asked.push(...some, ...some);
      answers.push(...readAll(some), ...readAll(some));
      if (at < 750) await eventually(() => statements.underWay === 1 + at / 250);
      else await nextTurn();
    }
    await gate.reached;
    expect(statements.underWay).toBe(3);
    gate.open();
    const texts = await Promise.all(answers);
    expect(texts).toEqual(textsOf(asked));
    expect(statements).toEqual({ underWay: 0, most: 3 });
  });

  it('what is too much is refused as OVERLOADED while the rest is served, and afterwards all is as before', async () => {
    const keys = keysOf('many', 150);
    await write(['first', ...keys]);
    await open({ underWay: 1, waiting: 100 });
    const gate = gateway.source.gates.close('load');
    const first = gateway.read(note, 'first');
    await gate.reached;
    let refused = 0;
    const answers = readAll(keys);
    for (const answer of answers) void answer.then((text) => text === 'OVERLOADED full' && refused++);
    await eventually(() => refused >= 50);
    if (leased) expect(await writeNote(gateway, 'written meanwhile', 'text')).toBe(true);
    gate.open();
    expect(await first).toBe('text of first');
    const texts = await Promise.all(answers);
    expect(texts.filter((text, at) => text === `text of ${keys[at]}`)).toHaveLength(100);
    expect(refused).toBe(50);
    const again = keys.filter((_, at) => texts[at] === 'OVERLOADED full');
    expect(await Promise.all(readAll(again))).toEqual(textsOf(again));
    expect(statements).toEqual({ underWay: 0, most: 1 });
  });

  if (!leased) return;

  it('the lease of a question that is refused is given back', async () => {
    await write(['first', 'second', 'third']);
    await open({ underWay: 1, waiting: 1 });
    const gate = gateway.source.gates.close('load');
    const first = gateway.read(note, 'first');
    await gate.reached;
    const second = gateway.read(note, 'second');
    await nextTurn();
    await expect(gateway.read(note, 'third')).rejects.toBeInstanceOf(Overloaded);
    gate.open();
    await Promise.all([first, second]);
    expect(await gateway.read(note, 'third')).toBe('text of third');
    await gateway.story.until('filled', { view: 'note', key: 'third' });
  });

  it('an available view answers what is left, marked stale, rather than be refused', async () => {
    await write(['first', 'second', 'left']);
    await open({ underWay: 1, waiting: 1 });
    await gateway.read(board, 'left');
    await gateway.story.until('filled', { view: 'board', key: 'left' });
    const writing = await beginWriting(gateway, 'left', 'new');
    await writing.fence();
    const gate = gateway.source.gates.close('load');
    const busy = [gateway.read(note, 'first')];
    await gate.reached;
    busy.push(gateway.read(note, 'second'));
    await nextTurn();
    const reading = await gateway.cache.request().read(board, 'left');
    expect(reading).toMatchObject({ value: 'text of left', stale: true });
    gate.open();
    await Promise.all(busy);
    await writing.rollback();
  });
});

it('a refill whose master is out of reach changes no answer, and keeps nobody waiting', async () => {
  const database = await createDatabase();
  await createNotes(database);
  await database.psql`INSERT INTO notes VALUES ('a', 'text')`;
  const error = new CacheUnavailable('Redis did not answer.', 'memory');
  const alter = (store: Store): Store => ({
    ...store,
    fill: async (batches) => batches.map(() => ({ kind: 'unavailable', error })),
  });
  const gateway = await openGateway(database, { store: 'memory', alter });
  const sent = gateway.source.sent();
  const loaded = gateway.source.gates.close('load', 'after');
  const first = gateway.note('a');
  await loaded.reached;
  const others = Array.from({ length: 10 }, () => gateway.note('a'));
  await gateway.story.until('flush', undefined, 2);
  loaded.open();
  expect(new Set(await Promise.all([first, ...others]))).toEqual(new Set(['text']));
  expect(await gateway.note('a')).toBe('text');
  expect(gateway.source.sent() - sent).toBeGreaterThan(1);
  await gateway.close();
  await database.close();
});
