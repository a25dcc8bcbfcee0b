-- Put in front of every script. guarded(): whether this server is the master, in the life, epoch and generation that
-- the caller believes in. KEYS[1] is the partition's meta; ARGV[1..3] are incarnation, epoch and generation.
-- An absent meta is a mismatch. An entry of another generation is absent.
local function incarnation()
  local info = redis.call('INFO', 'replication')
  if not string.find(info, 'role:master', 1, true) then return '' end
  return string.match(info, 'master_replid:(%w+)') or ''
end

local function guarded()
  local meta = redis.call('HMGET', KEYS[1], 'i', 'e', 'g')
  return meta[1] == ARGV[1] and meta[2] == ARGV[2] and meta[3] == ARGV[3] and incarnation() == ARGV[1]
end

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
