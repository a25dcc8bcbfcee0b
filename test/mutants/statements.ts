// Clauses of the functions and statements in Postgres, for the real tier.
import type { Mutant } from './mutant.js';

const tier = 'real';
const planned = 'drizzle/0009_planned_capture.sql';
const log = 'drizzle/0001_change_log.sql';

export const statements: readonly Mutant[] = [
  {
    name: 'sql-capture-always',
    rule: '1',
    clause: 'triggers fire where others are switched off',
    tier: 'test',
    test: {
      file: 'test/cache/change-log.test.ts',
      title: 'is captured where other triggers are switched off, as replication and restores do',
    },
    edits: [{ file: planned, find: 'ENABLE ALWAYS TRIGGER', replace: 'ENABLE TRIGGER' }],
  },
  {
    name: 'outcome-waits',
    rule: '15',
    clause: 'a COMMIT without an answer is told of once the transaction has ended',
    tier: 'test',
    test: {
      file: 'test/cache/outcome.test.ts',
      title: 'a transaction that is still in progress is not called aborted until it has ended',
    },
    edits: [{ file: 'src/db/change.ts', find: 'if (look && !look.inProgress) return', replace: 'if (look) return' }],
  },
  {
    name: 'sql-bump',
    rule: '2',
    clause: 'every change gives a new version',
    tier,
    expected: ['stale', 'inversion', 'diverged', 'torn', 'future'],
    edits: [
      {
        file: log,
        find: "SET version = nextval('entry_version'), xid",
        replace: 'SET version = greatest(version, 1), xid',
      },
    ],
  },
  {
    name: 'sql-log-in-progress',
    rule: '14',
    clause: 'what was in progress when the cursor was taken is still pending',
    tier,
    expected: ['stale', 'diverged'],
    edits: [
      {
        file: 'src/db/change-log.ts',
        find: 'WHERE xid >= pg_snapshot_xmin(',
        replace: 'WHERE xid >= pg_snapshot_xmax(',
      },
    ],
  },
  {
    name: 'sql-close-holds',
    rule: '13',
    clause: 'a transaction without fences holds its partitions closed until it has ended',
    tier,
    expected: ['stale', 'inversion'],
    edits: [{ file: planned, find: 'mine.partition = each FOR SHARE;', replace: 'mine.partition = each;' }],
  },
  {
    name: 'sql-close-next-epoch',
    rule: '11',
    clause: 'a closed epoch is never opened again: the next one has another number',
    tier: 'test',
    test: { file: 'test/cache/epoch.test.ts', title: 'is followed by one with another number' },
    edits: [
      {
        file: planned,
        find: 'SET open = false, covered = NULL, epoch = mine.epoch + 1\n',
        replace: 'SET open = false, covered = NULL\n',
      },
    ],
  },
  {
    name: 'sql-open-closed-only',
    rule: '11',
    clause: 'only the epoch that is in force is opened',
    tier: 'test',
    test: { file: 'test/cache/epoch.test.ts', title: 'is not opened again, and only once is the one after it' },
    edits: [
      {
        file: 'src/db/partition.ts',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a source
        find: 'WHERE partition = ${partition} AND epoch = ${epoch}::bigint\n',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a source
        replace: 'WHERE partition = ${partition} AND ${epoch}::bigint > 0\n',
      },
    ],
  },
];
