-- Put in front of the scripts that end a fence. Removes fence `xid` of an entry, and with what is older than `version`
-- (19 digits) the token: its holder may have read before that version. Beside a value that is not older, a token was
-- granted after that value was stored, and stays. When the last fence is gone, an entry with a value gets its TTL back,
-- one without is removed.
local function release(entry, members, fences, generation, version, xid)
  local e = redis.call('HMGET', entry, 'g', 'v', 'f', 'l')
  if e[1] ~= generation then return end
  local left = e[3] and string.gsub(',' .. e[3], ',' .. xid .. ':%d+', '') or ''
  left = string.gsub(left, '^,', '')
  local older = not e[2] or e[2] < version
  if older then
    redis.call('DEL', entry, members)
    if left ~= '' then redis.call('HSET', entry, 'g', generation, 'f', left) end
  elseif left ~= '' then
    redis.call('HSET', entry, 'f', left)
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
