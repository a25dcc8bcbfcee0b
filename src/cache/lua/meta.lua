-- Tells who answers and what the partition's meta holds. KEYS: meta.
-- Returns {incarnation or '' on a replica, stored incarnation, epoch, generation, cursor} with false for what is absent.
local stored = meta(1, 'i', 'e', 'g', 'c')
return { incarnation(), stored[1] or false, stored[2] or false, stored[3] or false, stored[4] or false }
