-- Put in front of the scripts that end a fence. Removes the fences of transaction `xid`, or the one fence `xid.draw`, of
-- entry KEYS[i], and with what is older than `version` (19 digits) the token: its holder may have read before that version. Beside a value that is not older, a
-- token was granted after that value was stored, and stays. When the last fence is gone, a value stands and gets its TTL
-- back; an entry without one is removed.
local function release(i, version, xid)
  local entry, members = KEYS[i], KEYS[i + 1]
  local e = redis.call('HMGET', entry, 'g', 'v', 'f', 'l', 's')
  if e[1] ~= ARGV[3] then return end
  sound(e[2], e[3])
  local mark = string.find(xid, '.', 1, true) and string.gsub(xid, '%.', '%%.') or xid .. '%.%d+'
  local left = e[3] and string.gsub(',' .. e[3], ',' .. mark .. ':%d+', '') or ''
  left = string.gsub(left, '^,', '')
  local older = not e[2] or e[2] < version
  if older then
    redis.call('UNLINK', entry, members)
    if left ~= '' then redis.call('HSET', entry, 'g', ARGV[3], 'f', left) end
  elseif left ~= '' then
    redis.call('HSET', entry, 'f', left)
  end
  if left == '' then
    redis.call('HDEL', entry, 'f')
    index('ZREM', entry)
    if not older and e[3] then
      redis.call('PEXPIRE', entry, e[4])
      redis.call('PEXPIRE', members, e[4])
      stamped(entry, e[1], e[2], e[5])
    end
  end
end
