// Clauses of the functions and statements in Postgres, for the real tier.
import type { Mutant } from './mutant.js';

const tier = 'real';
const capture = 'drizzle/0013_search_path.sql';
const opening = 'drizzle/0012_opening.sql';
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
    edits: [{ file: capture, find: 'ENABLE ALWAYS TRIGGER', replace: 'ENABLE TRIGGER' }],
  },
  {
    name: 'sql-capture-path',
    rule: '1',
    clause: 'a capture finds its tables whatever the path of the session is',
    tier: 'test',
    test: {
      file: 'test/cache/capture-path.test.ts',
      title: 'of tables of the same name in two schemas, each by keys of its own',
    },
    edits: [{ file: capture, find: ' LANGUAGE plpgsql SET search_path = %%7$s\n', replace: ' LANGUAGE plpgsql\n' }],
  },
  {
    name: 'sql-open-in-line',
    rule: '13',
    clause: 'writers without fences do not overtake who waits to open the partition',
    tier: 'test',
    test: {
      file: 'test/cache/epoch.test.ts',
      title: 'is opened between two of them, however many follow: who comes while an opener waits lets it go first',
    },
    edits: [
      { file: opening, find: '    PERFORM pg_advisory_xact_lock_shared(1702064233, 1000 + each);\n', replace: '' },
    ],
  },
  {
    name: 'sql-open-kept',
    rule: '13',
    clause: 'what was just opened is left to those who catch up with it',
    tier: 'test',
    test: {
      file: 'test/cache/epoch.test.ts',
      title: 'is not closed again by writers for some seconds from when it was opened, in which it is caught up with',
    },
    edits: [
      {
        file: opening,
        find: "\n      AND (mine.opened_at BETWEEN clock_timestamp() - interval '3 seconds' AND clock_timestamp()) IS NOT TRUE;",
        replace: ';',
      },
    ],
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
    edits: [{ file: opening, find: 'mine.partition = each FOR SHARE;', replace: 'mine.partition = each;' }],
  },
  {
    name: 'sql-close-next-epoch',
    rule: '11',
    clause: 'a closed epoch is never opened again: the next one has another number',
    tier: 'test',
    test: { file: 'test/cache/epoch.test.ts', title: 'is followed by one with another number' },
    edits: [
      {
        file: opening,
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
        file: opening,
        find: 'AND epoch = in_epoch AND NOT open FOR UPDATE',
        replace: 'AND in_epoch > 0 FOR UPDATE',
      },
    ],
  },
];
