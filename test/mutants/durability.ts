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
    rule: '10',
    clause: 'the cursor moves only over drops that the store has taken',
    tier,
    expected: ['stale', 'diverged'],
    edits: [{ file: relay, find: 'if (believed[index]) continue;', replace: 'continue;' }],
  },
  {
    name: 'cursor-on-disk',
    rare: true,
    rule: '10',
    clause: 'the cursor moves only over WAL that is on disk',
    tier,
    expected: ['stale', 'diverged'],
    edits: [
      {
        file: relay,
        find: 'if (flushedLsn >= insertedLsn) position.durable = cursor;',
        replace: 'if (flushedLsn >= 0n) position.durable = cursor;',
      },
    ],
  },
  {
    name: 'relay-same-guard',
    rare: true,
    rule: '10',
    clause: 'a change counts as carried over under one guard only',
    tier,
    expected: ['stale', 'diverged'],
    edits: [
      {
        file: relay,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a source
        find: 'return `${this.#positions.get(partition)?.guard.epoch} ${view}:${key}@${version}`;',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a source
        replace: 'return `${view}:${key}@${version}`;',
      },
    ],
  },
  {
    name: 'sweep-ended',
    rare: true,
    rule: '12',
    clause: 'the sweep ends only the fences of transactions that have ended',
    tier,
    expected: ['inversion', 'stale'],
    edits: [{ file: 'src/cache/sweep.ts', find: 'xids.filter((xid) => ended.has(xid)).map(', replace: 'xids.map(' }],
  },
  {
    name: 'relay-session',
    rare: true,
    rule: '10',
    clause: 'what was not known to be on disk counts no more in another session',
    tier,
    expected: ['stale', 'diverged'],
    edits: [{ file: relay, find: 'if (this.#session === session) return;', replace: 'if (session) return;' }],
  },
];
