-- Put in front of every script, once also where it runs for several partitions. incarnation(): the life of this server as
-- a master; '' while it is a replica. Asked once: it does not change while a script runs.
local known
local function incarnation()
  if known then return known end
  local info = redis.call('INFO', 'replication')
  local master = string.find(info, 'role:master', 1, true)
  known = master and string.match(info, 'master_replid:(%w+)') or ''
  return known
end

