-- Put in front of the scripts that handle entries. What somebody has given another type, or fields that no script
-- writes, is removed, and counts as absent: it must not make its partition unreadable.

-- Runs act(i, ...) on the entry KEYS[i] with the members KEYS[i + 1]; where that fails, once more on nothing. That this user
-- may not run a command says nothing about the entry.
local function healed(act, i, ...)
  local done, reply = pcall(act, i, ...)
  if done then return reply end
  if type(reply) == 'table' and string.find(reply.err or '', '^NOPERM') then error(reply) end
  redis.call('UNLINK', KEYS[i], KEYS[i + 1])
  return act(i, ...)
end

-- Fails where a version or a set of fences is none.
local function sound(version, fences)
  if version and not is_number(version) then error('not a version') end
  if fences and string.find(fences, '[^%d%.:,]') then error('not a set of fences') end
end

-- Runs a command on the fence index KEYS[2], which begins anew where it is none.
local function index(command, ...)
  local reply = redis.pcall(command, KEYS[2], ...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  redis.call('UNLINK', KEYS[2])
  return redis.call(command, KEYS[2], ...)
end
