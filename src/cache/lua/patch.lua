-- Publishes changes of single members: applies each where its write token stands and the entry is whole and at the
-- version that the change was made from. Else drops what is older, to be refilled.
-- KEYS: meta, fence index, then entry and members of each. ARGV: guard (3); then for each entry its token, xid, version,
-- changed at, ttl, field, version before, members afterwards, number of words to add, words, number to remove, words.
-- Returns {'mismatch'} or {'done', 'published' | 'dropped'…}. Atomic over all entries.
if not guarded() then return { 'mismatch' } end
local out, arg = { 'done' }, 4
for i = 3, #KEYS, 2 do
  local entry, members, ttl, count = KEYS[i], KEYS[i + 1], ARGV[arg + 4], tonumber(ARGV[arg + 7])
  local added, adds = arg + 9, tonumber(ARGV[arg + 8])
  local removed, removes = added + adds + 1, tonumber(ARGV[added + adds])
  local e = redis.call('HMGET', entry, 'g', 't', 'v', 'n', 'k', ARGV[arg + 5])
  local whole = e[1] == ARGV[3] and e[6] and e[5] and size(members, e[5]) == tonumber(e[4])
  local applied = whole and e[2] == ARGV[arg] and e[3] == ARGV[arg + 6]
  if applied then
    each(COMMANDS[e[5]].add, members, added, added + adds - 1)
    each(COMMANDS[e[5]].remove, members, removed, removed + removes - 1)
    applied = size(members, e[5]) == count
  end
  if applied then
    redis.call('HSET', entry, 'v', ARGV[arg + 2], 'c', ARGV[arg + 3], 's', now_ms(), 'l', ttl, 'n', count)
    redis.call('HDEL', entry, 'f', 't', 'x')
    redis.call('PEXPIRE', entry, ttl)
    redis.call('PEXPIRE', members, ttl)
    redis.call('ZREM', KEYS[2], entry)
  else
    release(entry, members, KEYS[2], ARGV[3], ARGV[arg + 2], ARGV[arg + 1])
  end
  out[#out + 1] = applied and 'published' or 'dropped'
  arg = removed + removes
end
return out
