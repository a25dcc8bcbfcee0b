-- Moves the partition's cursor from ARGV[4] to ARGV[5]. KEYS: meta. ARGV: guard (3), old and new cursor.
-- Returns 'advanced' or 'mismatch'. Works when memory is short.
if not guarded() or redis.call('HGET', KEYS[1], 'c') ~= ARGV[4] then return 'mismatch' end
redis.call('HSET', KEYS[1], 'c', ARGV[5])
return 'advanced'
