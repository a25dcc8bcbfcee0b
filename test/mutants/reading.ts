// Clauses of reads and refills.
import type { Mutant } from './mutant.js';

const tier = 'model';

export const reading: readonly Mutant[] = [
  {
    name: 'held-stamp',
    rule: '5',
    clause: 'a value that a reader holds is answered only if it is the very one that stands',
    tier,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: 'test/simulator/model-redis.ts',
        find: "return stamp === item.known ? { kind: 'same', ageMs, ttlMs } : hit;",
        replace: "return stamp && item.known ? { kind: 'same', ageMs, ttlMs } : hit;",
      },
    ],
  },
  {
    name: 'held-guard',
    rule: '7',
    clause: 'a value is held only under the guard that it was read under',
    tier: 'test',
    test: {
      file: 'test/cache/held.test.ts',
      title: 'is unknown under any other guard, though that says the same, and under another key',
    },
    edits: [
      {
        file: 'src/cache/held.ts',
        find: 'held?.guard === guard ? held : undefined;',
        replace: 'guard ? held : undefined;',
      },
    ],
  },
  {
    name: 'join-unsent-store',
    rule: '8',
    clause: 'a read joins a batch to the store only before it is sent',
    tier,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: 'src/cache/reader.ts',
        find: 'await this.#batch.ask(question.name, question).answer;',
        replace: 'await joined(this, question.name, () => this.#batch.ask(question.name, question).answer);',
      },
      {
        file: 'src/cache/reader.ts',
        find: 'export class Reader<Source> {',
        replace: `const flights = new WeakMap();
function joined(owner, name, act) {
  const mine = flights.get(owner) ?? new Map();
  flights.set(owner, mine);
  if (!mine.has(name)) mine.set(name, act().finally(() => mine.delete(name)));
  return mine.get(name);
}
export class Reader<Source> {`,
      },
    ],
  },
  {
    name: 'join-unsent-sql',
    rule: '8',
    clause: 'a read joins a statement only before it is sent',
    tier,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: 'src/cache/refill.ts',
        find: 'return this.#ask(view, key, lease).answer;',
        replace: `const name = nameOf({ view: view.name, key });
    const mine = flights.get(this) ?? new Map();
    flights.set(this, mine);
    const before = mine.get(name);
    if (before && !lease) return before;
    const answer = this.#ask(view, key, lease).answer;
    const ended = () => { if (mine.get(name) === answer) mine.delete(name); };
    mine.set(name, answer);
    answer.then(ended, ended);
    return answer;`,
      },
      {
        file: 'src/cache/refill.ts',
        find: 'export class Refill<Source> {',
        replace: 'const flights = new WeakMap();\nexport class Refill<Source> {',
      },
    ],
  },
  {
    name: 'fill-snapshot',
    rule: '6',
    clause: 'under a fence a refill needs a snapshot in which its transaction has ended',
    tier,
    expected: ['inversion', 'stale', 'diverged'],
    edits: [
      {
        file: 'src/cache/refill.ts',
        find: 'if (lease?.xids.every((xid) => endedIn(row.snapshot, xid))) {',
        replace: 'if (lease) {',
      },
    ],
  },
  {
    name: 'reply-vouched',
    rule: '9',
    clause: 'a reply is believed only if the lease still lives when it has come',
    tier: 'test',
    test: {
      file: 'test/cache/cut-off.test.ts',
      title: 'an answer that was asked for before the lease ended, and came after, is not believed',
    },
    edits: [
      {
        file: 'src/cache/trust.ts',
        find: "return reply?.kind === 'done' && this.vouches(partition, guard) ? reply.replies : undefined;",
        replace: "return reply?.kind === 'done' ? reply.replies : undefined;",
      },
    ],
  },
  {
    name: 'unfillable-gives-back',
    rule: '16',
    clause: 'who met a fence too early to end it leaves that to the next reader',
    tier: 'test',
    test: {
      file: 'test/cache/fence.test.ts',
      title:
        'of a writer that was killed, and whose transaction took a while to end, ends with the next refill after that',
    },
    edits: [
      {
        file: 'src/cache/refill.ts',
        find: 'void this.#options.clock.sleep(UNFILLABLE_MS).then(() => this.#abandon([question]));',
        replace: '',
      },
    ],
  },
];
