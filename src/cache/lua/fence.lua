-- Marks entries as about to be changed by transaction ARGV[4], whose write token takes the token slot: hides the value,
-- and keeps the entry from expiring or being evicted.
-- KEYS: meta, fence index, then each entry and its members. ARGV: guard (3), xid, secret, fence grace ms.
-- Returns {'mismatch'} or {'done', token…}. Atomic over all entries; works when memory is short.
if not guarded() then return { 'mismatch' } end
local now, token, out = now_ms(), granted(ARGV[5]), { 'done' }

local function fence(i)
  local e = redis.call('HMGET', KEYS[i], 'g', 'v', 'f')
  if e[1] ~= ARGV[3] then
    redis.call('UNLINK', KEYS[i], KEYS[i + 1])
    e = {}
  end
  sound(e[2], e[3])
  local mark = ARGV[4] .. '.' .. drawn .. ':' .. now
  local marks = e[3] and e[3] .. ',' .. mark or mark
  redis.call('HSET', KEYS[i], 'g', ARGV[3], 'f', marks, 't', token, 'x', now + tonumber(ARGV[6]))
  redis.call('HDEL', KEYS[i], 'p')
  redis.call('PERSIST', KEYS[i])
  redis.call('PERSIST', KEYS[i + 1])
  index('ZADD', now, KEYS[i])
  return token
end

for i = 3, #KEYS, 2 do
  out[#out + 1] = healed(fence, i)
end
return out
