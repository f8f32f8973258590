#!lua name=feedwire_v1
-- The function library of Feedwire: every write to a timeline, the edges of the follow graph, and the reads that must see one moment.
-- Keys and values are described in schemas/redis.md.
--
-- A timeline is one sorted set: entries with score = published time in ms, and one reserved member, byte 0 and the 8 epoch bytes,
-- whose score is -seq. Published times are positive, so it always has rank 0. The caller gives a random epoch candidate with each
-- write, because Redis' own random numbers are the same after every start.

local RESERVED_BYTES = 9 -- an entry has at least 17

local function state_of(key)
  local low = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if low[1] and #low[1] == RESERVED_BYTES then
    return string.sub(low[1], 2), -tonumber(low[2]), low[1]
  end
  return '', 0, nil
end

-- Adding is by id: an entry with these 16 bytes at this time is there already.
local function has_id(key, score, entry)
  if redis.call('ZSCORE', key, entry) then return true end
  local id = string.sub(entry, 1, 16)
  for _, member in ipairs(redis.call('ZRANGE', key, score, score, 'BYSCORE')) do
    if string.sub(member, 1, 16) == id then return true end
  end
  return false
end

-- By bytes. Lua's own `<` on strings follows the locale that Redis was started in.
local function before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- add: KEYS timeline; ARGV epoch candidate (8 bytes), cap, slack, then (published ms, entry) once or more.
-- Answers for each entry: its seq (> 0) when added, 0 when its id is there already, -1 when it would rank beyond the cap (nothing
-- changes then: no seq, no notice). One entry gives an integer, more give a list.
local function add(keys, args)
  local key = keys[1]
  local cap, slack = tonumber(args[2]), tonumber(args[3])
  local epoch, seq, reserved = state_of(key)
  local entries = redis.call('ZCARD', key) - (reserved and 1 or 0)
  local answers = {}
  for i = 4, #args, 2 do
    local score, entry = args[i], args[i + 1]
    local answer
    if has_id(key, score, entry) then
      answer = 0
    else
      if entries >= cap then
        local last = redis.call('ZRANGE', key, cap - 1, cap - 1, 'REV', 'WITHSCORES')
        local time, last_time = tonumber(score), tonumber(last[2])
        if time < last_time or (time == last_time and before(entry, last[1])) then answer = -1 end
      end
      if not answer then
        if not reserved then
          epoch = args[1]
          reserved = '\0' .. epoch
        end
        seq = seq + 1
        redis.call('ZADD', key, score, entry, string.format('%d', -seq), reserved)
        entries = entries + 1
        if entries > cap + slack then
          redis.call('ZREMRANGEBYRANK', key, 1, entries - cap)
          entries = cap
        end
        redis.call('SPUBLISH', key, cmsgpack.pack({1, epoch, seq, tonumber(score), entry}))
        answer = seq
      end
    end
    answers[#answers + 1] = answer
  end
  if #answers == 1 then return answers[1] end
  return answers
end

-- window: KEYS timeline; ARGV limit, then optionally the epoch and seq that the caller knows.
-- Answers {epoch, seq, {entry, published ms, ..}}, newest first; epoch '' and seq 0 when there is no such timeline. When epoch and seq are the
-- known ones, nothing has changed and the list is left out.
local function window(keys, args)
  local key, limit = keys[1], tonumber(args[1])
  local epoch, seq, reserved = state_of(key)
  if args[2] and args[2] == epoch and tonumber(args[3]) == seq then return {epoch, seq} end
  local found = {}
  if limit > 0 and reserved then
    found = redis.call('ZRANGE', key, 0, limit - 1, 'REV', 'WITHSCORES')
    local n = #found
    if found[n - 1] == reserved then found[n], found[n - 1] = nil, nil end
  end
  return {epoch, seq, found}
end

-- since: KEYS outbox; ARGV time ms, count. Answers {published ms, entry, ..}, oldest first: all entries not older than the time, and
-- the newest `count` of the older ones.
local function since(keys, args)
  local key, time, count = keys[1], args[1], tonumber(args[2])
  local out = {}
  if count > 0 then
    local older = redis.call('ZRANGE', key, '(' .. time, 1, 'BYSCORE', 'REV', 'LIMIT', 0, count, 'WITHSCORES')
    for i = #older - 1, 1, -2 do
      out[#out + 1] = older[i + 1]
      out[#out + 1] = older[i]
    end
  end
  local younger = redis.call('ZRANGE', key, time, '+inf', 'BYSCORE', 'WITHSCORES')
  for i = 1, #younger, 2 do
    out[#out + 1] = younger[i + 1]
    out[#out + 1] = younger[i]
  end
  return out
end

-- follow: KEYS followers page, ended edges of that page; ARGV follower, time ms.
-- Answers {state, edge time}: state 1 a new edge, 2 an edge was there (it keeps the older of the two times), 0 the edge was ended at or after this time.
local function follow(keys, args)
  local followers, ended, user, time = keys[1], keys[2], args[1], args[2]
  local ended_at = redis.call('ZSCORE', ended, user)
  if ended_at and tonumber(ended_at) >= tonumber(time) then return {0, tonumber(ended_at)} end
  local at = redis.call('ZSCORE', followers, user)
  if at then
    if tonumber(time) < tonumber(at) then
      redis.call('ZADD', followers, time, user)
      return {2, tonumber(time)}
    end
    return {2, tonumber(at)}
  end
  redis.call('ZADD', followers, time, user)
  return {1, tonumber(time)}
end

-- unfollow: KEYS and ARGV as for follow. Answers 1 when the edge was ended, 2 when there was none to end, 0 when the edge is younger than this.
local function unfollow(keys, args)
  local followers, ended, user, time = keys[1], keys[2], args[1], args[2]
  redis.call('ZADD', ended, 'GT', time, user)
  local at = redis.call('ZSCORE', followers, user)
  if not at then return 2 end
  if tonumber(at) > tonumber(time) then return 0 end
  redis.call('ZREM', followers, user)
  return 1
end

-- followers: KEYS followers page; ARGV time ms, count, then optionally the cursor: the last follower of the answer before and the time of its follow.
-- Answers {time of the last one's follow, follower, ..}: up to `count` of those whose follow is not younger than the time, oldest follow
-- first; an empty list when there are no more. By ranks, so that a page deep inside costs no more than the first one.
local function followers(keys, args)
  local key, time, count, after, after_time = keys[1], args[1], tonumber(args[2]), args[3], args[4]
  local total = redis.call('ZCOUNT', key, '-inf', time)
  local start = 0
  if after then
    local at = redis.call('ZSCORE', key, after)
    if at and tonumber(at) == tonumber(after_time) then
      start = redis.call('ZRANK', key, after) + 1
    else
      -- Its edge has ended or moved meanwhile, and its rank says nothing any more: go on at the beginning of its time. Who comes again
      -- is pushed again, which changes nothing; to go on behind its new place would leave others out.
      start = redis.call('ZCOUNT', key, '-inf', '(' .. after_time)
    end
  end
  if start >= total then return {} end
  local found = redis.call('ZRANGE', key, start, math.min(start + count, total) - 1)
  if #found == 0 then return {} end
  table.insert(found, 1, tonumber(redis.call('ZSCORE', key, found[#found])))
  return found
end

-- edge: KEYS followers page, ended edges of that page; ARGV follower. Answers {time of the follow, or 0; time of the last unfollow, or 0}.
local function edge(keys, args)
  local at, ended_at = redis.call('ZSCORE', keys[1], args[1]), redis.call('ZSCORE', keys[2], args[1])
  return {tonumber(at or 0), tonumber(ended_at or 0)}
end

-- edge_load: KEYS as for edge; ARGV follower, time of the follow or 0, time of the last unfollow or 0: a state of the edge that was true once.
-- Joins it with the present state: the last unfollow, and the oldest follow after it. Answers the time of the follow, or 0 when there is no edge.
local function edge_load(keys, args)
  local user, since, ended = args[1], tonumber(args[2]), tonumber(args[3])
  local at = tonumber(redis.call('ZSCORE', keys[1], user) or 0)
  if ended > 0 then redis.call('ZADD', keys[2], 'GT', args[3], user) end
  ended = tonumber(redis.call('ZSCORE', keys[2], user) or 0)
  local joined = 0
  for _, time in ipairs({at, since}) do
    if time > ended and (joined == 0 or time < joined) then joined = time end
  end
  if joined == 0 then
    redis.call('ZREM', keys[1], user)
  elseif joined ~= at then
    redis.call('ZADD', keys[1], string.format('%d', joined), user)
  end
  return joined
end

-- life: KEYS life, loader; ARGV token of the caller, length of the lease in ms.
-- Answers {life, lease}. While there is no life (it is '' then), whoever asks first takes the lease of loading the graph: lease is 2 when the
-- caller has just taken it, 1 when it had it and has renewed it, 0 when another one has it.
local function life(keys, args)
  local id = redis.call('GET', keys[1])
  if id then return {id, 0} end
  local holder = redis.call('GET', keys[2])
  if holder and holder ~= args[1] then return {'', 0} end
  redis.call('SET', keys[2], args[1], 'PX', args[2])
  return {'', holder and 1 or 2}
end

-- life_begin: KEYS as for life; ARGV token of the caller, id of the new life. Only who has had the lease without a break may begin a life: if
-- everything was lost once more meanwhile, the lease was too, and what was loaded before.
-- Answers the life that there is now: the new one, or another's; '' when the caller has not got the lease.
local function life_begin(keys, args)
  local id = redis.call('GET', keys[1])
  if id then return id end
  if redis.call('GET', keys[2]) ~= args[1] then return '' end
  redis.call('SET', keys[1], args[2])
  redis.call('DEL', keys[2])
  return args[2]
end

redis.register_function('feedwire_v1_add', add)
redis.register_function('feedwire_v1_follow', follow)
redis.register_function('feedwire_v1_unfollow', unfollow)
redis.register_function('feedwire_v1_edge_load', edge_load)
redis.register_function('feedwire_v1_life', life)
redis.register_function('feedwire_v1_life_begin', life_begin)
redis.register_function{function_name='feedwire_v1_edge', callback=edge, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_window', callback=window, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_since', callback=since, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_followers', callback=followers, flags={'no-writes'}}
