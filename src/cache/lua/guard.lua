-- Put in front of every script. guarded(): whether this server is the master, in the life, epoch and generation that
-- the caller believes in. KEYS[1] is the partition's meta; ARGV[1..3] are incarnation, epoch and generation.
-- A meta that is absent or has been given another type is a mismatch. An entry of another generation is absent.
local function incarnation()
  local info = redis.call('INFO', 'replication')
  if not string.find(info, 'role:master', 1, true) then return '' end
  return string.match(info, 'master_replid:(%w+)') or ''
end

local function meta(...)
  local fields = redis.pcall('HMGET', KEYS[1], ...)
  return fields.err and {} or fields
end

local function guarded()
  local stored = meta('i', 'e', 'g')
  if stored[1] ~= ARGV[1] then return false end
  if stored[2] ~= ARGV[2] then return false end
  if stored[3] ~= ARGV[3] then return false end
  return incarnation() == ARGV[1]
end

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Whether this is a version or an epoch as the scripts store it: 19 digits, to be compared as strings.
local function is_number(text)
  return #text == 19 and not string.find(text, '%D')
end
