// Clauses of answers that are given again where what they were made from stands.
import type { Mutant } from './mutant.js';

const standing = 'src/cache/standing.ts';
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
        find: 'await this.#ask([...batches.values()]);',
        replace: 'if (asked.length < 0) await this.#ask([...batches.values()]);',
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
        find: 'const believed = trust.believed(batches, await store.standing(batches));',
        replace: `void trust;
    const believed = (await store.standing(batches)).map((each) => (each.kind === 'done' ? each.replies : undefined));`,
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
];
