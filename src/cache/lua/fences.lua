-- Lists up to 500 entries fenced for longer than ARGV[4] ms. KEYS: meta, fence index. ARGV: guard (3), age ms.
-- Returns {'mismatch'} or {'done', {entry key, fences}…}. Forgets index members whose entry has no fence any more, and
-- removes fenced entries of another generation: without a TTL they would stay for ever.
if not guarded() then return { 'mismatch' } end
local out = { 'done' }
for _, entry in ipairs(index('ZRANGE', '-inf', now_ms() - tonumber(ARGV[4]), 'BYSCORE', 'LIMIT', 0, 500)) do
  local e = redis.pcall('HMGET', entry, 'g', 'f')
  if e.err then e = {} end
  if e[1] == ARGV[3] and e[2] then
    out[#out + 1] = { entry, e[2] }
  else
    if e[1] and e[1] ~= ARGV[3] then redis.call('DEL', entry) end
    redis.call('ZREM', KEYS[2], entry)
  end
end
return out
