// A gateway starts on an empty store while everybody asks, some keys far more than others: the database sees no more
// statements at a time than it can take, whoever is refused may ask again, and soon the store answers alone.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Overloaded } from '../../src/cache/errors.js';
import { DatabaseUnavailable, type Query } from '../../src/db/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type Gateway, openGateway } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { createNotes, noteView } from '../support/notes.js';

const KEYS = 1_000;
const READS_PER_TURN = 250;
const TURNS = 20;
const UNDER_WAY = 3;

describe.each(['redis', 'memory'] as const)('a cold start on %s, keys asked for by Zipf', (store) => {
  let database: TestDatabase;
  let gateway: Gateway;
  const statements = { underWay: 0, most: 0, keys: 0 };
  const counted = {
    ...noteView,
    load: async (query: Query, keys: readonly string[]) => {
      statements.most = Math.max(statements.most, ++statements.underWay);
      statements.keys += keys.length;
      try {
        return await noteView.load(query, keys);
      } finally {
        statements.underWay--;
      }
    },
  };

  beforeEach(async () => {
    Object.assign(statements, { underWay: 0, most: 0, keys: 0 });
    database = await createDatabase();
    await createNotes(database);
    await database.psql`INSERT INTO notes SELECT 'key ' || n, 'text ' || n FROM generate_series(0, ${KEYS - 1}) AS n`;
  });
  afterEach(async () => {
    await gateway.close();
    await database.close();
  });

  it('asks SQL a bounded number of times at once, refuses what is too much, and recovers by itself', async () => {
    const limits = { underWay: UNDER_WAY, waiting: 200, waitMs: 600_000 };
    gateway = await openGateway(database, { store, views: [counted], limits });
    await gateway.holdRelay();
    let refused = 0;
    /** Whether the answer came; who is refused, or let down by a slow machine, may ask again. */
    const isAnswered = async (at: number): Promise<boolean> => {
      try {
        expect(await gateway.read(counted, `key ${at}`)).toBe(`text ${at}`);
        return true;
      } catch (error) {
        if (error instanceof Overloaded) refused++;
        else if (!(error instanceof DatabaseUnavailable)) throw error;
        return false;
      }
    };
    const askAll = async (keys: readonly number[]) => {
      const answered = await Promise.all(keys.map(isAnswered));
      return keys.filter((_, at) => !answered[at]);
    };

    const next = zipf(KEYS);
    const turns = Array.from({ length: TURNS }, () => Array.from({ length: READS_PER_TURN }, next));
    const slow = gateway.source.gates.close('load');
    const waiting: Promise<number[]>[] = [];
    for (const turn of turns) {
      waiting.push(askAll(turn));
      await new Promise(setImmediate);
    }
    await eventually(() => refused > 0);
    slow.open();
    let left = (await Promise.all(waiting)).flat();
    expect(left.length).toBeLessThan(TURNS * READS_PER_TURN);
    await eventually(async () => {
      left = await askAll(left);
      return left.length === 0;
    });
    expect(statements.underWay).toBe(0);
    expect(statements.most).toBeLessThanOrEqual(UNDER_WAY);

    const drawn = [...new Set(turns.flat())];
    await eventually(async () => {
      const before = statements.keys;
      const unanswered = await askAll(drawn);
      return unanswered.length === 0 && statements.keys === before;
    });
  });
});

/** Draws 0 ≤ n < `count`, the first ones far more often: with the weight 1 / (n + 1), always the same. */
function zipf(count: number): () => number {
  const sums: number[] = [];
  let sum = 0;
  for (let at = 0; at < count; at++) {
    sum += 1 / (at + 1);
    sums.push(sum);
  }
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const drawn = (state / 2 ** 32) * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? sum) < drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
