// Clauses of trust: leases, closing, quiet, opening, catching up.
import type { Mutant } from './mutant.js';

const lease = 'src/cache/lease.ts';
const trust = 'src/cache/trust.ts';
const succession = 'src/cache/succession.ts';
const tier = 'model';

export const leases: readonly Mutant[] = [
  {
    name: 'lease-ends',
    rule: '9',
    clause: 'trust ends with the lease',
    tier,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: lease,
        find: 'row?.open === true && row.epoch === epoch && this.live;',
        replace: 'row?.open === true && row.epoch === epoch;',
      },
    ],
  },
  {
    name: 'lease-from-send-time',
    rule: '9',
    clause: 'a lease counts from when it was asked for',
    tier,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: lease,
        find: 'this.#untilMs = sentMs + TRUST_LEASE_MS;',
        replace: 'this.#untilMs = now + TRUST_LEASE_MS;',
      },
    ],
  },
  {
    name: 'lease-epoch',
    rule: '9',
    clause: 'a guard is given up when Postgres shows another epoch',
    tier,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: lease,
        find: 'row?.open === true && row.epoch === epoch && this.live;',
        replace: 'row !== undefined && epoch !== undefined && this.live;',
      },
    ],
  },
  {
    name: 'reply-in-force',
    rule: '9',
    clause: 'what the store replies to a guard that was replaced says nothing against the one in force',
    tier: 'test',
    test: {
      file: 'test/cache/trust.test.ts',
      title: "is not believed, and says nothing against the one in force: 'mismatch'",
    },
    edits: [
      {
        file: 'src/cache/guards.ts',
        find: 'asked.filter(({ partition, guard }) => this.get(partition) === guard)',
        replace: 'asked.filter(({ guard }) => guard)',
      },
    ],
  },
  {
    name: 'looks-go-on',
    rule: '9',
    clause: 'the lease is renewed while a partition catches up',
    tier: 'test',
    test: { file: 'test/cache/trust.test.ts', title: 'ends nobody else’s trust, and counts when it is done' },
    edits: [{ file: trust, find: 'if (!over && !this.#closed) await', replace: 'if (!over && this.#closed) await' }],
  },
  {
    name: 'quiet-waits',
    rule: '10',
    clause: 'a closed epoch is quiet when nobody can trust it any more',
    tier,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: lease,
        find: 'if (closing?.epoch !== epoch) return false;',
        replace: 'if (closing?.epoch === epoch) return true; else return false;',
      },
    ],
  },
  {
    name: 'quiet-outlasts-leases',
    rule: '10',
    clause: 'who is silent is waited for as long as a lease lasts',
    tier,
    expected: ['stale', 'inversion'],
    edits: [
      { file: lease, find: 'const LAPSED_MS = TRUST_LEASE_MS + MARGIN_MS;', replace: 'const LAPSED_MS = MARGIN_MS;' },
    ],
  },
  {
    name: 'quiet-adopted',
    rule: '10',
    clause: 'a look counts for the others once its answer has come',
    tier,
    storm: 'lateAdoption',
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: lease,
        find: 'every(({ turn }) => turn > closing.turn)',
        replace: 'every(({ beat }) => beat > closing.turn)',
      },
    ],
  },
  {
    name: 'close-before-open',
    rule: '11',
    clause: 'a store that does not agree is closed in Postgres before it is begun',
    tier,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: succession,
        find: 'return incarnation !== undefined && lease.quiet(row) && this.#open(row, incarnation, meta);',
        replace: 'return incarnation !== undefined && this.#open(row, incarnation, meta);',
      },
    ],
  },
  {
    name: 'catch-up-before-trust',
    rule: '12',
    clause: 'a partition is trusted once it has caught up with the log',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      {
        file: 'src/cache/learning.ts',
        find: 'const outcomes = await catchUp(store, changeLog, agreeing);',
        replace: "void catchUp; const outcomes = new Map(agreeing.map(({ partition }) => [partition, 'caught up']));",
      },
    ],
  },
  {
    name: 'catch-up-confirmed',
    rule: '12',
    clause: 'catching up counts only when the store has taken every drop',
    tier,
    storm: 'lostDrops',
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      { file: 'src/cache/catch-up.ts', find: "if (reply?.kind !== 'done') return 'moved';", replace: 'void reply;' },
    ],
  },
  {
    name: 'replay-from-stored-cursor',
    rule: '12',
    clause: 'a generation goes on from where the store says that the log was carried over to',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      {
        file: succession,
        find: 'const cursor = kept?.cursor ?? (await changeLog.now());',
        replace: 'const cursor = await changeLog.now();',
      },
    ],
  },
  {
    name: 'catch-up-cursor-stands',
    rule: '12',
    clause: 'what was caught up with counts only if the cursor is still where it was',
    tier: 'test',
    test: {
      file: 'test/cache/trust.test.ts',
      title: 'begins again where the cursor is not where it was when it began',
    },
    edits: [
      {
        file: 'src/cache/catch-up.ts',
        find: 'return cursors.filter((_, at) => !taken[at]);',
        replace: 'return cursors.filter((_, at) => taken[at] === undefined);',
      },
    ],
  },
  {
    name: 'generation-kept-if-ours',
    rule: '11',
    clause: 'what is not the last generation is not gone on with',
    tier: 'test',
    test: {
      file: 'test/cache/generation.test.ts',
      title: 'a database that was set back to a backup never revives what Redis held since',
    },
    edits: [
      {
        file: succession,
        find: 'const kept = stored?.generation === row.generation ? stored : undefined;',
        replace: 'const kept = stored;',
      },
    ],
  },
];
