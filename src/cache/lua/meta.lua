-- Tells who answers and what the partition's meta holds. KEYS: meta.
-- Returns {incarnation or '' on a replica, stored incarnation, epoch, generation, cursor} with false for what is absent.
local meta = redis.call('HMGET', KEYS[1], 'i', 'e', 'g', 'c')
return { incarnation(), meta[1], meta[2], meta[3], meta[4] }
