// Clauses of the operations on entries, in the model of Redis.
import type { Mutant } from './mutant.js';

const file = 'test/simulator/model-redis.ts';
const keys = 'test/simulator/model-keys.ts';
const tier = 'model';

export const entries: readonly Mutant[] = [
  {
    name: 'guard-incarnation',
    rule: '7',
    clause: 'an operation asks which life of which master answers',
    tier,
    expected: ['stale', 'inversion'],
    edits: [{ file: keys, find: '      this.incarnation === guard.incarnation &&\n', replace: '' }],
  },
  {
    name: 'entry-generation',
    rule: '7',
    clause: 'an entry of another generation is absent',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      {
        file: keys,
        find: 'if (entry.generation === guard.generation && entry.expiresAtMs',
        replace: 'if (entry.expiresAtMs',
      },
    ],
  },
  {
    name: 'fill-token',
    rule: '6',
    clause: 'a refill is taken only while its token stands',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      {
        file,
        find: 'return entry?.token?.token === item.token ? stampOf(',
        replace: 'return entry ? stampOf(',
      },
    ],
  },
  {
    name: 'fill-tells-own',
    rule: '5',
    clause: 'who fills is told the stamp of what was stored, never of what another has stored',
    tier,
    answers: true,
    expected: ['stale', 'inversion'],
    edits: [
      {
        file,
        find: 'stampOf(this.put(item, where, entry)) : undefined;',
        replace: 'stampOf(this.put(item, where, entry)) : entry && stampOf(entry);',
      },
    ],
  },
  {
    name: 'fence-takes-token',
    rule: '6',
    clause: 'a fence takes the token',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      {
        file,
        find: '        token: { token, expiresAtMs: now + FENCE_GRACE_MS },\n',
        replace: '        token: entry.token ?? { token, expiresAtMs: now + FENCE_GRACE_MS },\n',
      },
    ],
  },
  {
    name: 'fence-hides',
    rule: '3',
    clause: 'a fence hides the value',
    tier,
    expected: ['inversion'],
    edits: [
      {
        file,
        find: 'if (entry && hit && entry.fences.length === 0) {',
        replace: 'if (entry && hit) {',
      },
    ],
  },
  {
    name: 'publish-token',
    rule: '5',
    clause: 'a write publishes only while its own token stands',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      {
        file,
        find: 'if (entry?.token?.token !== item.token) return this.release(item, where);\n      this.put',
        replace: 'if (!entry) return this.release(item, where);\n      this.put',
      },
    ],
  },
  {
    name: 'patch-from',
    rule: '5',
    clause: 'a patch is applied only to the version that it was made from',
    tier,
    expected: ['torn'],
    edits: [{ file, find: 'held?.value.version !== item.from || !held.texts', replace: '!held?.texts' }],
  },
  {
    name: 'patch-token',
    rule: '5',
    clause: 'a patch is applied only while its own token stands',
    tier,
    storm: 'overtaken',
    expected: ['stale', 'inversion', 'torn', 'diverged'],
    edits: [
      {
        file,
        find: 'const held = entry?.token?.token === item.token ? entry.held : undefined;',
        replace: 'const held = entry?.held;',
      },
    ],
  },
  {
    name: 'drop-takes-lease',
    rule: '6',
    clause: 'a drop takes the lease of who may have read before it',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      { file: keys, find: 'const token = older ? undefined : entry.token;', replace: 'const token = entry.token;' },
      {
        file: keys,
        find: 'if (!held && fences.length === 0) {',
        replace: 'if (!held && fences.length === 0 && !token) {',
      },
    ],
  },
  {
    name: 'drop-older',
    rule: '14',
    clause: 'a drop removes what is older than its version',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      {
        file: keys,
        find: 'const older = !entry.held || BigInt(entry.held.value.version) < BigInt(item.version);',
        replace: 'const older = !entry.held;',
      },
    ],
  },
  {
    name: 'fence-outlives-time',
    rule: '16',
    clause: 'a fence does not end by time',
    tier,
    expected: ['inversion'],
    edits: [
      {
        file,
        find: 'if (entry && hit && entry.fences.length === 0) {',
        replace: 'if (entry && hit && entry.fences.every(({ atMs }) => atMs <= now - FENCE_GRACE_MS)) {',
      },
    ],
  },
];
