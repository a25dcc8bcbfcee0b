// Clauses of the change log and the relay, and of what a crash of Postgres undoes.
import type { Mutant } from './mutant.js';

const relay = 'src/cache/relay.ts';
const tier = 'model';

export const durability: readonly Mutant[] = [
  {
    name: 'version-under-lock',
    rule: '2',
    clause: 'a version is drawn under the lock of its root',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      {
        file: 'test/simulator/model-postgres.ts',
        find: "state: 'running', rows: new Map(), partitions: new Map() };",
        replace: "state: 'running', rows: new Map(), partitions: new Map(), early: ++this.#version };",
      },
      {
        file: 'test/simulator/model-postgres.ts',
        find: 'const version = String(++this.#version);',
        replace: 'const version = String(transaction.early);',
      },
    ],
  },
  {
    name: 'root-lock',
    rule: '2',
    clause: 'writers of an entry follow each other',
    tier,
    expected: ['stale', 'inversion', 'diverged', 'torn'],
    edits: [
      {
        file: 'test/simulator/model-postgres.ts',
        find: 'this.locks.acquireAll(transaction, [...names].sort(), () => {',
        replace: 'this.locks.acquireAll(transaction, [], () => {',
      },
    ],
  },
  {
    name: 'relay-confirmed',
    rule: '14',
    clause: 'the cursor moves only over drops that the store has taken',
    tier,
    expected: ['stale', 'diverged'],
    edits: [{ file: relay, find: 'if (believed[index]) continue;', replace: 'continue;' }],
  },
  {
    name: 'cursor-on-disk',
    rule: '14',
    clause: 'the cursor moves only over WAL that is on disk',
    tier,
    expected: ['stale', 'diverged'],
    edits: [
      {
        file: 'src/cache/positions.ts',
        find: 'if (flushedLsn >= insertedLsn) position.durable = cursor;',
        replace: 'if (flushedLsn >= 0n) position.durable = cursor;',
      },
    ],
  },
  {
    name: 'sweep-ended',
    rule: '16',
    clause: 'the sweep ends only the fences of transactions that have ended',
    tier,
    storm: 'swept',
    expected: ['inversion', 'stale'],
    edits: [
      {
        file: 'src/cache/sweep.ts',
        find: 'fences.filter((each) => ended.has(xidOf(each))).map(',
        replace: 'fences.map(',
      },
    ],
  },
  {
    name: 'relay-carried',
    rule: '14',
    clause: 'only what the store has taken need not be dropped again',
    tier,
    expected: ['stale', 'diverged'],
    edits: [{ file: relay, find: 'if (reached.includes(entry.partition)) carriedNow', replace: 'carriedNow' }],
  },
  {
    name: 'begin-on-disk',
    rule: '14',
    clause: 'a generation begins at a cursor that no crash undoes',
    tier: 'test',
    test: {
      file: 'test/cache/cursor.test.ts',
      title: 'is given out once the log is on disk up to it, also where nobody else waits for the disk',
    },
    edits: [
      {
        file: 'src/db/change-log.ts',
        find: 'if (BigInt(seen.flushed) >= BigInt(seen.inserted)) return seen.cursor;',
        replace: 'if (seen.cursor) return seen.cursor;',
      },
    ],
  },
  {
    name: 'relay-session',
    rule: '14',
    clause: 'what was not known to be on disk counts no more in another session',
    tier,
    storm: 'reusedId',
    expected: ['stale', 'diverged'],
    edits: [
      { file: relay, find: 'if (this.#session === session) return false;', replace: 'if (session) return false;' },
    ],
  },
];
