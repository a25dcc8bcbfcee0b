-- Put in front of every script. guarded(k, a): whether this server is the master, in the life, epoch and generation that
-- the caller believes in. KEYS[k] is the partition's meta; ARGV[a] and the next two are incarnation, epoch and generation;
-- both stand first where nothing else is said.
-- A meta that is absent or has been given another type is a mismatch. An entry of another generation is absent.
local function meta(k, ...)
  local fields = redis.pcall('HMGET', KEYS[k], ...)
  return fields.err and {} or fields
end

local function guarded(k, a)
  k, a = k or 1, a or 1
  local stored = meta(k, 'i', 'e', 'g')
  if stored[1] ~= ARGV[a] then return false end
  if stored[2] ~= ARGV[a + 1] then return false end
  if stored[3] ~= ARGV[a + 2] then return false end
  return incarnation() == ARGV[a]
end

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Whether this is a version or an epoch as the scripts store it: 19 digits, to be compared as strings.
local function is_number(text)
  return #text == 19 and not string.find(text, '%D')
end
