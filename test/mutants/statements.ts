// Clauses of the functions and statements in Postgres, for the real tier.
import type { Mutant } from './mutant.js';

const tier = 'real';
const trust = 'drizzle/0005_trust.sql';
const log = 'drizzle/0001_change_log.sql';

export const statements: readonly Mutant[] = [
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
    rule: '10',
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
    rule: '14',
    clause: 'a transaction without fences holds its partitions closed until it has ended',
    tier,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: trust,
        find: '  PERFORM FROM entry_partition AS mine WHERE mine.partition = ANY (in_partitions) ORDER BY mine.partition FOR UPDATE;\n',
        replace: '',
      },
    ],
  },
  {
    name: 'sql-close-next-epoch',
    rare: true,
    rule: '14',
    clause: 'a closed epoch is never opened again: the next one has another number',
    tier,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: trust,
        find: 'SET open = false, covered = NULL, epoch = mine.epoch + 1\n',
        replace: 'SET open = false, covered = NULL\n',
      },
    ],
  },
  {
    name: 'sql-open-closed-only',
    rare: true,
    rule: '8',
    clause: 'only the epoch that is in force is opened',
    tier,
    expected: ['stale', 'inversion', 'stuck'],
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
