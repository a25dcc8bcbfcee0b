-- Marks entries as about to be changed by transaction ARGV[4], whose write token ARGV[5] takes the token slot: hides
-- the value, and keeps the entry from expiring or being evicted.
-- KEYS: meta, fence index, then each entry and its members. ARGV: guard (3), xid, token, fence grace ms.
-- Returns {'mismatch'} or {'done', 'fenced'…}. Atomic over all entries; works when memory is short.
if not guarded() then return { 'mismatch' } end
local now, out = now_ms(), { 'done' }
for i = 3, #KEYS, 2 do
  local e = redis.call('HMGET', KEYS[i], 'g', 'f')
  if e[1] ~= ARGV[3] then
    redis.call('DEL', KEYS[i], KEYS[i + 1])
    e[2] = false
  end
  local fence = ARGV[4] .. ':' .. now
  redis.call('HSET', KEYS[i], 'g', ARGV[3], 'f', e[2] and e[2] .. ',' .. fence or fence,
    't', ARGV[5], 'x', now + tonumber(ARGV[6]))
  redis.call('PERSIST', KEYS[i])
  redis.call('PERSIST', KEYS[i + 1])
  redis.call('ZADD', KEYS[2], now, KEYS[i])
  out[#out + 1] = 'fenced'
end
return out
