#!lua name=feedwire_ingest_v1
-- The functions of ingest: idempotency keys and rate limits. Keys and fields are described in schemas/redis.md.
--
-- All times are those of the server, so that instances whose clocks differ agree; only the first time of a request, which becomes the
-- published time of its activities, is the caller's.

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- claim KEY fingerprint owner first_ms lease_ms ttl_ms
--   {'run', first_ms}: the caller has the lease, and works with this first time; {'again', first_ms}: the same, after somebody who did not finish
--   {'done', first_ms, places}: finished before; {'running', left_ms}: somebody has the lease; {'other'}: the key was used for another request
local function claim(keys, args)
  local key, fingerprint, owner, lease_ms = keys[1], args[1], args[2], tonumber(args[4])
  local now = now_ms()
  local f, t, l, p = unpack(redis.call('HMGET', key, 'f', 't', 'l', 'p'))
  if not f then
    redis.call('HSET', key, 'f', fingerprint, 't', args[3], 'o', owner, 'l', string.format('%.0f', now + lease_ms))
    redis.call('PEXPIRE', key, args[5])
    return {'run', args[3]}
  end
  if f ~= fingerprint then return {'other'} end
  if p then return {'done', t, p} end
  if l and tonumber(l) > now then return {'running', tonumber(l) - now} end
  redis.call('HSET', key, 'o', owner, 'l', string.format('%.0f', now + lease_ms))
  return {'again', t}
end

local function owned(key, owner)
  return redis.call('HGET', key, 'o') == owner
end

-- renew KEY owner lease_ms -> 1, or 0 when the lease is somebody else's by now
local function renew(keys, args)
  if not owned(keys[1], args[1]) then return 0 end
  redis.call('HSET', keys[1], 'l', string.format('%.0f', now_ms() + tonumber(args[2])))
  return 1
end

-- finish KEY owner places -> 1, or 0
local function finish(keys, args)
  if not owned(keys[1], args[1]) then return 0 end
  redis.call('HSET', keys[1], 'p', args[2])
  redis.call('HDEL', keys[1], 'o', 'l')
  return 1
end

-- release KEY owner -> 1, or 0. The next claim gets the lease at once; the first time and the fingerprint stay.
local function release(keys, args)
  if not owned(keys[1], args[1]) then return 0 end
  redis.call('HDEL', keys[1], 'o', 'l')
  return 1
end

-- take KEY.. (us-for-one burst cost).. : of all buckets, or of none
--   {0, 0, 0}, or {number of the bucket that is short for the longest, us until it is not, what remains in it}
-- A bucket is the time in us at which it is full again; absent: it is full. A cost above the burst passes when it is full, and is then owed.
local function take(keys, args)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  local full_at, short = {}, {0, 0, 0}
  for i, key in ipairs(keys) do
    local every, burst, cost = tonumber(args[3 * i - 2]), tonumber(args[3 * i - 1]), tonumber(args[3 * i])
    local at = math.max(tonumber(redis.call('GET', key) or 0), now)
    local room, need = burst * every - (at - now), math.min(cost, burst) * every
    if room + 1 < need and need - room > short[2] then
      short = {i, math.ceil(need - room), math.max(0, math.floor(room / every))}
    end
    full_at[i] = at + cost * every
  end
  if short[1] > 0 then return short end
  for i, key in ipairs(keys) do
    redis.call('SET', key, string.format('%.0f', full_at[i]), 'PX', string.format('%.0f', math.max(1, math.ceil((full_at[i] - now) / 1000))))
  end
  return short
end

redis.register_function('feedwire_ingest_v1_take', take)
redis.register_function('feedwire_ingest_v1_claim', claim)
redis.register_function('feedwire_ingest_v1_renew', renew)
redis.register_function('feedwire_ingest_v1_finish', finish)
redis.register_function('feedwire_ingest_v1_release', release)
