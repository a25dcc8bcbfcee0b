// Clauses of the write path and of degraded writes.
import type { Mutant } from './mutant.js';

const file = 'src/cache/writer.ts';
const tier = 'model';

export const writing: readonly Mutant[] = [
  {
    name: 'fence-before-commit',
    rule: '3',
    clause: 'entries are fenced before COMMIT',
    tier,
    expected: ['inversion', 'stale'],
    edits: [
      {
        file,
        find: "const replies = await store.fence(batches, xid, randomBytes(16).toString('base64url'));",
        replace: "const replies = batches.map(({ items }) => ({ kind: 'done', replies: items.map(() => 'fenced') }));",
      },
    ],
  },
  {
    name: 'fence-confirmed',
    rule: '3',
    clause: 'COMMIT waits for every fence to be confirmed',
    tier,
    expected: ['inversion', 'stale'],
    edits: [{ file, find: 'if (trust.believed(batches, replies).includes(undefined)) {', replace: 'if (false) {' }],
  },
  {
    name: 'confirm-before-answer',
    rule: '4',
    clause: 'the answer waits for the store to confirm',
    tier,
    storm: 'unconfirmed',
    expected: ['stale'],
    edits: [
      {
        file,
        find: 'if (left.length === 0) return closed.length === 0 || trust.quiet(closed);',
        replace: 'return closed.length === 0 || trust.quiet(closed);',
      },
    ],
  },
  {
    name: 'degraded-waits',
    rule: '13',
    clause: 'a write without fences is visible once nobody trusts what it has closed',
    tier,
    expected: ['stale'],
    edits: [{ file, find: 'return closed.length === 0 || trust.quiet(closed);', replace: 'return true;' }],
  },
  {
    name: 'unconfirmed-closes',
    rule: '4',
    clause: 'a write that is not confirmed closes its partitions',
    tier,
    storm: 'unconfirmed',
    expected: ['stale'],
    edits: [
      {
        file,
        find: 'return await trust.quiet([...closed, ...(await trust.shut(partitions))]);',
        replace: 'void partitions; return closed.length === 0 || trust.quiet(closed);',
      },
    ],
  },
  {
    name: 'unconfirmed-waits',
    rule: '4',
    clause: 'a write that closed its partitions after COMMIT waits until nobody trusts them',
    tier,
    expected: ['stale'],
    edits: [
      {
        file,
        find: 'return await trust.quiet([...closed, ...(await trust.shut(partitions))]);',
        replace: 'await trust.shut(partitions); return closed.length === 0 || trust.quiet(closed);',
      },
    ],
  },
  {
    name: 'degraded-closes',
    rule: '13',
    clause: 'a write without fences closes the partitions',
    tier: 'test',
    test: {
      file: 'test/cache/degraded.test.ts',
      title: 'a gateway that does not reach Redis while another does refuses to write, and asks to try again',
    },
    edits: [
      {
        file,
        find: 'const closed = unreached.size > 0 ? await close([...unreached]) : [];',
        replace: 'void close; const closed = [];',
      },
    ],
  },
  {
    name: 'degraded-holds',
    rule: '13',
    clause: 'a transaction without fences holds its partitions closed until it has ended',
    tier,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: 'test/simulator/model-partitions.ts',
        find: 'this.#postgres.locks.acquireAll(transaction, sorted.map(lockName), () => {\n      if',
        replace:
          'const open = (each) => this.#postgres.partitions.get(each)?.open;\n    this.#postgres.locks.acquireAll(transaction, sorted.filter(open).map(lockName), () => {\n      if',
      },
    ],
  },
];
