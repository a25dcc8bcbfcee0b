-- Tells the stamp of each value that is stored and unfenced, for whoever holds an answer made from it: of many partitions of
-- one master, each under its own guard. Whether the value could be read in full does not matter: nobody is going to.
-- KEYS: of each partition its meta, then entries. ARGV: of each its guard (3) and its number of entries.
-- Returns a text, which is decoded sooner than a list: words with a space between them, for each partition 'mismatch', or
-- for each entry its stamp, or '-' where none stands. Moves no value, not even into Lua, and changes nothing. Atomic over
-- all of them.
local words, k = {}, 1
for a = 1, #ARGV, 4 do
  local last = k + tonumber(ARGV[a + 3])
  if guarded(k, a) then
    local ours = ARGV[a + 2] .. ':'
    for i = k + 1, last do
      local stamp = redis.pcall('HGET', KEYS[i], 'p')
      local stands = type(stamp) == 'string' and string.sub(stamp, 1, #ours) == ours
      words[#words + 1] = stands and stamp or '-'
    end
  else
    words[#words + 1] = 'mismatch'
  end
  k = last + 1
end
return table.concat(words, ' ')
