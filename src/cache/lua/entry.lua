-- Put in front of the scripts that store. An entry is a hash: g generation, v version (19 digits), c changed at (ms),
-- s stored at (ms), l ttl (ms), a absent mark, f fences `xid:ms,…`, t token, x its expiry (ms), and value bytes under
-- `variant@format`; where it has members, k their shape and n how many there are.

-- Stores a value whose token was found standing; ends every fence and the token. A text of the same version in another
-- format stays; members have one format at a time. args: version, changed at, ttl, field, 'value' or 'absent', value,
-- shape, number of words (-1 without members), words: members, or fields and values in turn.
-- Returns the index after the last argument used.
local function put(entry, members, generation, i)
  local version, ttl, kind, shape, words = ARGV[i], ARGV[i + 2], ARGV[i + 4], ARGV[i + 6], tonumber(ARGV[i + 7])
  if words >= 0 or kind == 'absent' or redis.call('HGET', entry, 'v') ~= version then redis.call('DEL', entry) end
  redis.call('DEL', members)
  redis.call('HDEL', entry, 'f', 't', 'x', 'a', 'n', 'k')
  redis.call('HSET', entry, 'g', generation, 'v', version, 'c', ARGV[i + 1], 's', now_ms(), 'l', ttl)
  if kind == 'absent' then redis.call('HSET', entry, 'a', '1') else redis.call('HSET', entry, ARGV[i + 3], ARGV[i + 5]) end
  if words >= 0 then
    redis.call('HSET', entry, 'k', shape, 'n', shape == 'hash' and words / 2 or words)
    each(COMMANDS[shape].add, members, i + 8, i + 7 + words)
    redis.call('PEXPIRE', members, ttl)
  end
  redis.call('PEXPIRE', entry, ttl)
  return i + 8 + math.max(words, 0)
end

-- Skips the arguments of one value.
local function skip(i)
  return i + 8 + math.max(tonumber(ARGV[i + 7]), 0)
end
