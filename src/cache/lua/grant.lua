-- Put in front of the scripts that grant tokens. granted(secret): the token that the caller's secret becomes. A request
-- that is carried out a second time gets another one, so that what the first became cannot come back.
local drawn
local function granted(secret)
  drawn = drawn or string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'n', 1))
  return secret .. '.' .. drawn
end
