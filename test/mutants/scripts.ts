// Clauses of the scripts in Redis, for the real tier.
import type { Mutant } from './mutant.js';

const tier = 'real';
const lua = (name: string) => `src/cache/lua/${name}.lua`;

export const scripts: readonly Mutant[] = [
  {
    name: 'lua-guard-incarnation',
    rule: '7',
    clause: 'a script asks which life of which master runs it',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [{ file: lua('guard'), find: 'return incarnation() == ARGV[a]\n', replace: 'return true\n' }],
  },
  {
    name: 'lua-guard-epoch',
    rule: '7',
    clause: 'a script compares the epoch',
    tier: 'test',
    test: {
      file: 'test/cache/store-contract.test.ts',
      title: 'of another epoch keeps every operation from doing anything',
    },
    edits: [{ file: lua('guard'), find: 'if stored[2] ~= ARGV[a + 1] then return false end\n', replace: '' }],
  },
  {
    name: 'lua-guard-generation',
    rule: '7',
    clause: 'a script compares the generation',
    tier: 'test',
    test: {
      file: 'test/cache/store-contract.test.ts',
      title: 'of another generation keeps every operation from doing anything',
    },
    edits: [{ file: lua('guard'), find: 'if stored[3] ~= ARGV[a + 2] then return false end\n', replace: '' }],
  },
  {
    name: 'lua-entry-generation',
    rule: '7',
    clause: 'an entry of another generation is absent',
    tier: 'test',
    test: { file: 'test/cache/store-contract.test.ts', title: 'hides the entries of another generation' },
    edits: [{ file: lua('read'), find: 'if e[1] ~= ARGV[3] then', replace: 'if not e[1] then' }],
  },
  {
    name: 'lua-fill-token',
    rule: '6',
    clause: 'fill: a refill is taken only while its token stands',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [{ file: lua('fill'), find: '  if held[2] ~= ARGV[a] then return false end\n', replace: '' }],
  },
  {
    name: 'lua-fill-tells-own',
    rule: '5',
    clause: 'fill: tells the stamp of what was stored, never of what another has stored',
    tier: 'test',
    test: { file: 'test/cache/store-contract.test.ts', title: 'tells the stamp that whoever filled it was told' },
    edits: [
      {
        file: lua('fill'),
        find: '  if held[2] ~= ARGV[a] then return false end\n',
        replace: "  if held[2] ~= ARGV[a] then return table.concat(redis.call('HMGET', KEYS[i], 'v', 's'), ':') end\n",
      },
    ],
  },
  {
    name: 'lua-grant-drawn',
    rule: '6',
    clause: 'a request that is carried out again is granted another token',
    tier: 'test',
    edits: [
      {
        file: lua('grant'),
        find: "drawn = drawn or string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'n', 1))",
        replace: "drawn = '0'",
      },
    ],
    test: {
      file: 'test/cache/store-contract.test.ts',
      title: 'a request that is carried out twice: what the first was granted does not come back',
    },
  },
  {
    name: 'lua-begin-draws',
    rule: '6',
    clause: 'begin: what was drawn before is not drawn again',
    tier: 'test',
    edits: [
      {
        file: lua('begin'),
        find: ", 'n', string.format('%.0f', drawn))",
        replace: ')',
      },
    ],
    test: { file: 'test/cache/draws.test.ts', title: 'an epoch goes on drawing where the last one has stopped' },
  },
  {
    name: 'lua-release-named',
    rule: '16',
    clause: 'drop: a fence is told from one of an earlier transaction of the same id',
    tier: 'test',
    edits: [
      {
        file: lua('release'),
        find: "local mark = string.find(xid, '.', 1, true) and string.gsub(xid, '%.', '%%.') or xid .. '%.%d+'",
        replace: "local mark = string.match(xid, '^%d+') .. '%.%d+'",
      },
    ],
    test: {
      file: 'test/cache/store-contract.test.ts',
      title: 'is told from one of an earlier transaction of the same id',
    },
  },
  {
    name: 'lua-fence-takes-token',
    rule: '6',
    clause: 'fence: a fence takes the token',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      {
        file: lua('fence'),
        find: "'f', marks, 't', token, 'x', now + tonumber(ARGV[6]))",
        replace:
          "'f', marks)\n  if not redis.call('HGET', KEYS[i], 't') then redis.call('HSET', KEYS[i], 't', token, 'x', now + tonumber(ARGV[6])) end",
      },
    ],
  },
  {
    name: 'lua-fence-hides',
    rule: '3',
    clause: 'read: a fence hides the value',
    tier,
    expected: ['inversion'],
    edits: [{ file: lua('read'), find: 'if e[2] and not e[5] then', replace: 'if e[2] then' }],
  },
  {
    name: 'lua-members-whole',
    rule: '5',
    clause: 'read: an entry of which members were evicted is absent',
    tier,
    expected: ['torn'],
    edits: [{ file: lua('read'), find: ' and (not e[9] or size(members, e[10]) == tonumber(e[9]))', replace: '' }],
  },
  {
    name: 'lua-publish-token',
    rule: '5',
    clause: 'publish: a write publishes only while its own token stands',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      { file: lua('publish'), find: 'local standing = held[2] == ARGV[a]\n', replace: 'local standing = true\n' },
    ],
  },
  {
    name: 'lua-patch-from',
    rule: '5',
    clause: 'patch: applied only to the version that it was made from',
    tier,
    expected: ['torn'],
    edits: [{ file: lua('patch'), find: '  applied = applied and e[3] == ARGV[a + 6]\n', replace: '' }],
  },
  {
    name: 'lua-patch-token',
    rule: '5',
    clause: 'patch: applied only while its own token stands',
    tier: 'test',
    test: {
      file: 'test/cache/store-contract.test.ts',
      title: 'drops an entry whose token another writer has taken instead',
    },
    edits: [{ file: lua('patch'), find: '  applied = applied and e[2] == ARGV[a]\n', replace: '' }],
  },
  {
    name: 'lua-release-token',
    rule: '6',
    clause: 'drop: takes the lease of who may have read before it',
    tier: 'test',
    test: { file: 'test/cache/store-contract.test.ts', title: 'a drop, so that a refill from before is refused' },
    edits: [
      {
        file: lua('release'),
        find: "    redis.call('UNLINK', entry, members)\n",
        replace:
          "    local t = redis.call('HMGET', entry, 't', 'x')\n    redis.call('UNLINK', entry, members)\n    if t[1] then redis.call('HSET', entry, 'g', ARGV[3], 't', t[1], 'x', t[2]) end\n",
      },
    ],
  },
  {
    name: 'lua-drop-older',
    rule: '14',
    clause: 'drop: removes what is older than its version',
    tier,
    expected: ['stale', 'inversion', 'diverged'],
    edits: [
      { file: lua('release'), find: 'local older = not e[2] or e[2] < version', replace: 'local older = not e[2]' },
    ],
  },
  {
    name: 'lua-begin-epoch',
    rule: '11',
    clause: 'begin: refuses an epoch that is not above the stored one',
    tier: 'test',
    test: { file: 'test/cache/store-contract.test.ts', title: 'is begun once per epoch, and never by an older one' },
    edits: [
      { file: lua('begin'), find: "if stored[1] == ARGV[1] and newer then return 'mismatch' end\n", replace: '' },
    ],
  },
  {
    name: 'lua-advance-cas',
    rule: '14',
    clause: 'advance: the cursor moves by compare-and-set',
    tier: 'test',
    test: { file: 'test/cache/store-contract.test.ts', title: 'moves its cursor by compare-and-set' },
    edits: [{ file: lua('advance'), find: " or redis.call('HGET', KEYS[1], 'c') ~= ARGV[4]", replace: '' }],
  },
];
