-- Put in front of the scripts that store. An entry is a hash: g generation, v version (19 digits), c changed at (ms),
-- s stored at (ms), l ttl (ms), a absent mark, f fences `xid.draw:ms,…`, t token, x its expiry (ms), p the stamp of what stands
-- unfenced, and value bytes under `variant@format`; where it has members, k their shape and n how many there are.

-- Stores a value whose token was found standing in entry KEYS[i]; ends every fence and the token. A text of the same
-- version in another format stays; members have one format at a time. ARGV from `a`: version, changed at, ttl, field,
-- 'value' or 'absent', value, shape, number of members (-1 without), place in KEYS of members put aside (0 without),
-- number of words that follow, words: members, or fields and values in turn. Returns the stamp of what stands then.
local function put(i, a)
  local entry, members, version, ttl, shape, count = KEYS[i], KEYS[i + 1], ARGV[a], ARGV[a + 2], ARGV[a + 6], ARGV[a + 7]
  local aside, absent, now = KEYS[tonumber(ARGV[a + 8])], ARGV[a + 4] == 'absent', now_ms()
  if count ~= '-1' or absent or redis.call('HGET', entry, 'v') ~= version then redis.call('DEL', entry) end
  redis.call('UNLINK', members)
  redis.call('HDEL', entry, 'f', 't', 'x', 'a', 'n', 'k')
  redis.call('HSET', entry, 'g', ARGV[3], 'v', version, 'c', ARGV[a + 1], 's', now, 'l', ttl)
  redis.call('HSET', entry, absent and 'a' or ARGV[a + 3], absent and '1' or ARGV[a + 5])
  if count ~= '-1' then
    redis.call('HSET', entry, 'k', shape, 'n', count)
    if aside then redis.call('RENAME', aside, members) end
    each(COMMANDS[shape].add, members, a + 10, a + 9 + tonumber(ARGV[a + 9]))
    redis.call('PEXPIRE', members, ttl)
  end
  redis.call('PEXPIRE', entry, ttl)
  return stamped(entry, ARGV[3], version, now)
end

-- Whether the members put aside for the value at ARGV[a] are all there; what was not put aside is.
local function complete(a)
  local aside = KEYS[tonumber(ARGV[a + 8])]
  return not aside or size(aside, ARGV[a + 6]) == tonumber(ARGV[a + 7])
end

-- The place of what follows the value at ARGV[a].
local function after(a)
  return a + 10 + tonumber(ARGV[a + 9])
end
