-- Put in front of the scripts that end a fence. Removes fence `xid` and the token of an entry, and what is older than
-- `version` (19 digits). When the last fence is gone, an entry with a value gets its TTL back, one without is removed.
local function release(entry, members, fences, generation, version, xid)
  local e = redis.call('HMGET', entry, 'g', 'v', 'f', 'l')
  if e[1] ~= generation then return end
  local left = e[3] and string.gsub(',' .. e[3], ',' .. xid .. ':%d+', '') or ''
  left = string.gsub(left, '^,', '')
  local older = not e[2] or e[2] < version
  if older then
    redis.call('DEL', entry, members)
    if left ~= '' then redis.call('HSET', entry, 'g', generation, 'f', left) end
  else
    redis.call('HDEL', entry, 't', 'x')
    if left ~= '' then redis.call('HSET', entry, 'f', left) end
  end
  if left == '' then
    redis.call('HDEL', entry, 'f')
    redis.call('ZREM', fences, entry)
    if not older and e[3] then
      redis.call('PEXPIRE', entry, e[4])
      redis.call('PEXPIRE', members, e[4])
    end
  end
end
