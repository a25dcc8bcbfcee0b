-- Reads what is left of one entry, fenced or not, of whatever generation, for an answer marked stale: nobody vouches
-- for it. KEYS: entry, members. ARGV: field, and the arguments of part().
-- Returns {} where nothing is left that can be read, or {hit} with a hit as `read` returns it.
local function look()
  local e = redis.call('HMGET', KEYS[1], 'v', 'c', 's', 'a', 'n', 'k', ARGV[1], 'l')
  if not (e[4] or e[7]) then return {} end
  if e[5] and size(KEYS[2], e[6]) ~= tonumber(e[5]) then return {} end
  if not is_number(e[1]) then return {} end
  local found = e[4] and {} or part(KEYS[2], 2)
  return { { 'hit', e[1], e[2] + 0, now_ms() - e[3], e[8] + 0, not e[4] and e[7], tonumber(e[5] or 0), found, '' } }
end

local read, reply = pcall(look)
return read and reply or {}
