-- Publishes changes of single members: applies each where its write token stands and the entry is whole and at the
-- version that the change was made from. Else drops what is older, to be refilled.
-- KEYS: meta, fence index, then entry and members of each. ARGV: guard (3); then for each entry its token, xid, version,
-- changed at, ttl, field, version before, members afterwards, number of words to add, words, number to remove, words.
-- Returns {'mismatch'} or {'done', 'published' | 'dropped'…}. Atomic over all entries.
if not guarded() then return { 'mismatch' } end

local function patch(i, a, added, removed, last)
  local entry, members, count = KEYS[i], KEYS[i + 1], tonumber(ARGV[a + 7])
  local e = redis.call('HMGET', entry, 'g', 't', 'v', 'n', 'k', ARGV[a + 5])
  local applied = e[1] == ARGV[3] and e[6] and e[5] and size(members, e[5]) == tonumber(e[4])
  applied = applied and e[2] == ARGV[a]
  applied = applied and e[3] == ARGV[a + 6]
  if applied then
    each(COMMANDS[e[5]].add, members, added, removed - 2)
    each(COMMANDS[e[5]].remove, members, removed, last)
    applied = size(members, e[5]) == count
  end
  if not applied then
    release(i, ARGV[a + 2], ARGV[a + 1])
    return 'dropped'
  end
  local now = now_ms()
  redis.call('HSET', entry, 'v', ARGV[a + 2], 'c', ARGV[a + 3], 's', now, 'l', ARGV[a + 4], 'n', count)
  redis.call('HDEL', entry, 'f', 't', 'x')
  stamped(entry, e[1], ARGV[a + 2], now)
  for _, key in ipairs({ entry, members }) do redis.call('PEXPIRE', key, ARGV[a + 4]) end
  index('ZREM', entry)
  return 'published'
end

local out, a = { 'done' }, 4
for i = 3, #KEYS, 2 do
  local removed = a + 10 + tonumber(ARGV[a + 8])
  local last = removed - 1 + tonumber(ARGV[removed - 1])
  out[#out + 1] = healed(patch, i, a, a + 9, removed, last)
  a = last + 1
end
return out
