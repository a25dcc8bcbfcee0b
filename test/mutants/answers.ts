// Clauses of answers that are given again where what they were made from stands.
import type { Mutant } from './mutant.js';

const standing = 'src/cache/standing.ts';
const redisTracking = 'src/cache/redis-tracking.ts';
const trackedKeys = 'src/cache/tracked-keys.ts';
const trackedStanding = 'src/cache/tracked-standing.ts';
const tracking = 'test/cache/redis-tracking.test.ts';
const tier = 'model';

export const answers: readonly Mutant[] = [
  {
    name: 'standing-unfenced',
    rule: '3',
    clause: 'what a fence hides does not stand',
    tier,
    answers: true,
    expected: ['inversion', 'stale'],
    edits: [
      {
        file: 'test/simulator/model-redis.ts',
        find: 'return entry?.fences.length === 0 ? stampOf(entry) : undefined;',
        replace: 'return entry ? stampOf(entry) : undefined;',
      },
    ],
  },
  {
    name: 'standing-version',
    rule: '5',
    clause: 'an answer stands only by the very value that it was made from',
    tier,
    answers: true,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: standing,
        find: 'place !== undefined && batches.get(partition)?.stamps?.[place] === stamp;',
        replace: 'place !== undefined && stamp !== undefined && batches.get(partition)?.stamps?.[place] !== undefined;',
      },
    ],
  },
  {
    name: 'standing-asked',
    rule: '7',
    clause: 'an answer stands only once the store has said so',
    tier,
    answers: true,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: standing,
        find: 'this.#options.store.standing(all).then(',
        replace: 'Promise.resolve([]).then(',
      },
      {
        file: standing,
        find: 'place !== undefined && batches.get(partition)?.stamps?.[place] === stamp;',
        replace: 'place !== undefined && stamp !== undefined;',
      },
    ],
  },
  {
    name: 'standing-guard',
    rule: '7',
    clause: 'an answer stands only under the guard that it was made under',
    tier: 'test',
    test: { file: 'test/cache/standing.test.ts', title: 'does not survive the life of its master, nor its epoch' },
    edits: [
      {
        file: standing,
        find: 'if ((batch ? batch.guard : trust.guardForReads(partition)) !== guard) return false;',
        replace: 'if (guard && !trust.guardForReads(partition)) return false;',
      },
      {
        file: standing,
        find: 'const { partition, guard } = ground;',
        replace: 'const { partition } = ground; const guard = trust.guardForReads(partition);',
      },
    ],
  },
  {
    name: 'standing-join-unsent',
    rule: '8',
    clause: 'a question whether an answer stands joins another only before that is sent',
    tier,
    answers: true,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file: standing,
        find: '  stand(grounds: readonly Ground[]): Promise<boolean> {\n',
        replace: `  stand(grounds) {
    const flying = flights.get(grounds) ?? this.standAlone(grounds).finally(() => flights.delete(grounds));
    flights.set(grounds, flying);
    return flying;
  }

  standAlone(grounds: readonly Ground[]): Promise<boolean> {
`,
      },
      {
        file: standing,
        find: 'export class Standing {',
        replace: 'const flights = new WeakMap();\nexport class Standing {',
      },
    ],
  },
  {
    name: 'standing-vouched',
    rule: '9',
    clause: 'an answer stands only if the lease still lives when the store’s reply has come',
    tier: 'test',
    test: {
      file: 'test/cache/standing.test.ts',
      title: 'is not believed once the lease has ended, even where the answer was asked for before',
    },
    edits: [
      {
        file: standing,
        find: 'const believed = this.#options.trust.believed(batches, replies);',
        replace: "const believed = replies.map((each) => (each.kind === 'done' ? each.replies : undefined));",
      },
    ],
  },
  {
    name: 'standing-whole-basis',
    rule: '5',
    clause: 'an answer stands only if all of it rests on what the store vouches for',
    tier: 'test',
    test: {
      file: 'test/cache/standing.test.ts',
      title: 'rests on nothing where a fence stood in the way',
    },
    edits: [{ file: 'src/cache/request.ts', find: 'else this.#groundless = true;', replace: 'else void 0;' }],
  },
  {
    name: 'standing-filled',
    rule: '5',
    clause: 'what was read from SQL is a part of what an answer rests on only if the store has taken it',
    tier: 'test',
    test: {
      file: 'test/cache/standing.test.ts',
      title: 'rests on nothing where the store has not taken a part of it',
    },
    edits: [
      { file: 'src/cache/request.ts', find: 'if (!ground) return undefined;', replace: 'if (!ground) continue;' },
    ],
  },
  {
    name: 'packed-guard',
    rule: '7',
    clause: 'an answer that was packed stands only under the very guard that its entries were read under',
    tier: 'test',
    test: { file: 'test/cache/packed-grounds.test.ts', title: 'gives back what it was given, by the same guards' },
    edits: [
      {
        file: 'src/cache/packed-grounds.ts',
        find: 'const guard = this.#guards[Number(words[at + 5]) - this.#forgotten];',
        replace: 'const guard = this.#guards.at(-1);',
      },
    ],
  },
  {
    name: 'standing-floor',
    rule: '14',
    clause: 'an answer older than what this process has told of does not stand',
    tier: 'test',
    test: { file: 'test/cache/feed.test.ts', title: 'is never followed by an older answer that is given again' },
    edits: [
      {
        file: standing,
        find: '&& (told === undefined || BigInt(version) >= told)',
        replace: '&& (told === undefined || BigInt(version) >= 0n)',
      },
    ],
  },
  {
    name: 'lua-standing-unfenced',
    rule: '3',
    clause: 'fence: what it hides does not stand, for who has read it no more than for others',
    tier: 'real',
    answers: true,
    expected: ['stale', 'inversion'],
    edits: [{ file: 'src/cache/lua/fence.lua', find: "  redis.call('HDEL', KEYS[i], 'p')\n", replace: '' }],
  },
  {
    name: 'lua-standing-generation',
    rule: '7',
    clause: 'standing: an entry of another generation does not stand',
    tier: 'test',
    test: {
      file: 'test/cache/store-contract.test.ts',
      title: 'tells of nothing that another generation left, and nothing at all under another guard',
    },
    edits: [{ file: 'src/cache/lua/standing.lua', find: ' and string.sub(stamp, 1, #ours) == ours', replace: '' }],
  },
  {
    name: 'lua-standing-guard',
    rule: '7',
    clause: 'standing: tells nothing under another guard',
    tier: 'test',
    test: {
      file: 'test/cache/store-contract.test.ts',
      title: 'tells of nothing that another generation left, and nothing at all under another guard',
    },
    edits: [{ file: 'src/cache/lua/standing.lua', find: 'if guarded(k, a) then', replace: 'if guarded then' }],
  },
  {
    name: 'tracking-change',
    rule: '5',
    clause: 'what a master has said of an entry is believed until it tells that it has changed',
    tier: 'real',
    answers: true,
    expected: ['stale', 'inversion'],
    edits: [{ file: trackedKeys, find: 'if (entry) entry.stamp = undefined;', replace: 'void entry;' }],
  },
  {
    name: 'tracking-all',
    rule: '5',
    clause: 'what a master has said is believed until it tells that all keys have changed',
    tier: 'test',
    test: { file: tracking, title: 'when all keys are' },
    edits: [{ file: redisTracking, find: 'else this.keys.clear(); // of all at once', replace: 'else void 0;' }],
  },
  {
    name: 'tracking-word',
    rule: '5',
    clause: 'what a master has said is believed only once it has said a word more',
    tier: 'test',
    test: {
      file: tracking,
      title: 'never tells of a value that was changed before it was asked, however fast both are',
    },
    edits: [
      {
        file: trackedStanding,
        find: '    session.ask(round.asked(tracked), leftMs, (how) => {',
        replace: `    if (round.isSettled(tracked)) {
      tell(round.stampsOf(tracked));
      return;
    }
    session.ask(round.asked(tracked), leftMs, (how) => {`,
      },
    ],
  },
  {
    name: 'tracking-lost',
    rule: '5',
    clause: 'what a master has said is believed as long as the connection lasts on which it tells of changes',
    tier: 'test',
    test: { file: tracking, title: 'believes nothing of before once its connection was lost' },
    edits: [
      { file: redisTracking, find: 'readonly keys = new TrackedKeys();', replace: 'readonly keys = kept;' },
      {
        file: redisTracking,
        find: '/** One life of the connection. */',
        replace: 'const kept = new TrackedKeys();',
      },
      { file: redisTracking, find: '    this.keys.clear();\n    this.#stream', replace: '    this.#stream' },
    ],
  },
  {
    name: 'tracking-forgotten',
    rule: '5',
    clause: 'an entry whose changes nobody would hear of is not known to stand',
    tier: 'test',
    test: {
      file: 'test/cache/tracked-keys.test.ts',
      title: 'forgets what is not asked about again, and what is forgotten stands no more',
    },
    edits: [
      {
        file: trackedKeys,
        find: 'this.#former.clear(); // who holds one of them hears of no change any more\n',
        replace: '',
      },
    ],
  },
  {
    name: 'tracking-meta',
    rule: '7',
    clause: 'the guard that a meta showed is believed until the master tells that it has changed',
    tier: 'test',
    test: { file: tracking, title: 'when another epoch is open' },
    edits: [{ file: trackedKeys, find: 'if (meta) meta.guard = undefined;', replace: 'void meta;' }],
  },
  {
    name: 'tracking-guard',
    rule: '7',
    clause: 'what a master tells of changes counts only where its meta shows the guard',
    tier: 'test',
    test: { file: tracking, title: 'takes partitions apart' },
    edits: [{ file: trackedStanding, find: ' && isGuard(reply, guard)', replace: ' && reply' }],
  },
  {
    name: 'tracking-life',
    rule: '7',
    clause: 'a look at a meta counts only in the life of the master that the guard names',
    tier: 'test',
    test: {
      file: tracking,
      title: 'goes on where the server begins another life with all that it held, until the next look at its meta',
    },
    edits: [{ file: trackedStanding, find: 'this.#incarnation === guard.incarnation && ', replace: '' }],
  },
  {
    name: 'tracking-generation',
    rule: '7',
    clause: 'an entry of another generation is not told of as standing, tracked or not',
    tier: 'test',
    test: {
      file: 'test/cache/store-contract.test.ts',
      title: 'tells of nothing that another generation left, and nothing at all under another guard',
    },
    edits: [
      {
        file: trackedStanding,
        find: '(stamp?.startsWith(ours) ? stamp : undefined)',
        replace: '(ours ? stamp : undefined)',
      },
    ],
  },
];
