-- Put in front of the scripts that read or store members, which lie in a key of their own: a list, a hash or a set.
local COMMANDS = {
  list = { size = 'LLEN', add = 'RPUSH' },
  hash = { size = 'HLEN', add = 'HSET', remove = 'HDEL' },
  set = { size = 'SCARD', add = 'SADD', remove = 'SREM' },
}

-- How many members stand there: fewer than counted means that some were evicted. -1 where something else stands.
local function size(members, shape)
  local found = COMMANDS[shape] and redis.pcall(COMMANDS[shape].size, members)
  return type(found) == 'number' and found or -1
end

-- Calls a command with the arguments `first` to `last`, 500 at a time: unpack takes no more than some thousands.
local function each(command, key, first, last)
  for at = first, last, 500 do
    redis.call(command, key, unpack(ARGV, at, math.min(at + 499, last)))
  end
end

-- The part asked for by ARGV[i] (kind), ARGV[i + 1] (number of arguments) and those arguments, 500 at a time.
local function part(members, i)
  local kind, last = ARGV[i], i + 1 + tonumber(ARGV[i + 1])
  if kind == 'rows' then return redis.call('LRANGE', members, ARGV[i + 2], ARGV[i + 3]) end
  if kind == 'all' then return redis.call('HGETALL', members) end
  local found = {}
  for at = i + 2, kind == '' and 0 or last, 500 do
    local command = kind == 'fields' and 'HMGET' or 'SMISMEMBER'
    local some = redis.call(command, members, unpack(ARGV, at, math.min(at + 499, last)))
    for _, word in ipairs(some) do found[#found + 1] = word end
  end
  return found
end
