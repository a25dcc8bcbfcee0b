-- Put in front of the scripts that let values stand. A stamp tells a value from every other that was stored in its place,
-- also from one of the same version: `generation:version:stored at`. It lies in the entry, as `p`, exactly while no fence
-- hides the value, so that to look whether the value stands is to look at one field.
local function stamp_of(generation, version, stored)
  return generation .. ':' .. version .. ':' .. string.format('%.0f', stored)
end

local function stamped(entry, ...)
  local stamp = stamp_of(...)
  redis.call('HSET', entry, 'p', stamp)
  return stamp
end
