-- Put behind a script that was made a function, script(): runs it for several partitions of one master, each with the KEYS
-- and ARGV of its own, as if it alone had been called. Not for clusters, where a call may name one partition only.
-- KEYS: those of all partitions. ARGV: number of partitions; then for each its number of KEYS, its number of ARGV, and those.
-- Returns a reply for each; {'failed'} where the script has failed. Atomic over all partitions.
local function slice(all, first, count)
  local some = {}
  for at = 1, count do some[at] = all[first + at - 1] end
  return some
end

local replies, k, a = {}, 1, 2
for n = 1, tonumber(ALL_ARGV[1]) do
  local keys, args = tonumber(ALL_ARGV[a]), tonumber(ALL_ARGV[a + 1])
  KEYS, ARGV = slice(ALL_KEYS, k, keys), slice(ALL_ARGV, a + 2, args)
  local done, reply = pcall(script)
  replies[n] = done and reply or { 'failed' }
  k, a = k + keys, a + 2 + args
end
return replies
