-- Put in front of the scripts that store. An entry is a hash: g generation, v version (19 digits), c changed at (ms),
-- s stored at (ms), l ttl (ms), n members, a absent mark, f fences `xid:ms,…`, t token, x its expiry (ms), and value
-- bytes under `variant@format`. Its members, if any, are a list of their own.

-- Stores a value whose token was found standing; ends every fence and the token. A text of the same version in another
-- format stays; members have one format at a time. args: version, changed at, ttl, field, 'value' or 'absent', value, member count, members…
-- Returns the index after the last argument used.
local function put(entry, members, generation, i)
  local version, kind, count = ARGV[i], ARGV[i + 4], tonumber(ARGV[i + 6])
  if count >= 0 or kind == 'absent' or redis.call('HGET', entry, 'v') ~= version then redis.call('DEL', entry) end
  redis.call('DEL', members)
  redis.call('HDEL', entry, 'f', 't', 'x', 'a', 'n')
  redis.call('HSET', entry, 'g', generation, 'v', version, 'c', ARGV[i + 1], 's', now_ms(), 'l', ARGV[i + 2])
  if kind == 'absent' then redis.call('HSET', entry, 'a', '1') else redis.call('HSET', entry, ARGV[i + 3], ARGV[i + 5]) end
  i = i + 7
  if count >= 0 then
    redis.call('HSET', entry, 'n', count)
    for at = i, i + count - 1, 500 do
      redis.call('RPUSH', members, unpack(ARGV, at, math.min(at + 499, i + count - 1)))
    end
    i = i + count
    if count > 0 then redis.call('PEXPIRE', members, redis.call('HGET', entry, 'l')) end
  end
  redis.call('PEXPIRE', entry, redis.call('HGET', entry, 'l'))
  return i
end

-- Skips the arguments of one value.
local function skip(i)
  return i + 7 + math.max(tonumber(ARGV[i + 6]), 0)
end
