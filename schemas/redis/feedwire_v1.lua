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

-- Adding is by id: an entry with these 16 bytes at this time is there already. Looked for from the newest on, since few are late by much.
local function has_id(key, score, entry)
  local id = string.sub(entry, 1, 16)
  for _, member in ipairs(redis.call('ZRANGE', key, score, score, 'BYSCORE', 'REV')) do
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

-- The end of a notice: time and entry. One activity goes to many timelines one after the other, so the last one made is kept.
local last_score, last_entry, last_tail

local function notice(epoch, seq, score, entry)
  if entry ~= last_entry or score ~= last_score then
    last_score, last_entry, last_tail = score, entry, cmsgpack.pack(tonumber(score)) .. cmsgpack.pack(entry)
  end
  return '\149\1\168' .. epoch .. cmsgpack.pack(seq) .. last_tail -- an array of 5, kind 1, 8 bytes
end

-- Cap and slack of the call, as numbers. They are the same in nearly all calls, so what was made of their texts is kept.
local limits = {}

local function set_limits(cap, slack)
  if cap == limits.cap_text and slack == limits.slack_text then return end
  local most, more = tonumber(cap), tonumber(slack)
  limits.room_rank = string.format('%d', -most - more) -- below rank 0 while one entry more needs no trim
  limits.cap, limits.slack, limits.cap_text, limits.slack_text = most, more, cap, slack
end

-- Of a timeline with at least as many entries as the cap.
local function beyond_cap(key, score, entry)
  local cap = limits.cap
  local last = redis.call('ZRANGE', key, cap - 1, cap - 1, 'REV', 'WITHSCORES')
  local time, last_time = tonumber(score), tonumber(last[2])
  return time < last_time or (time == last_time and before(entry, last[1]))
end

local function trim(key)
  local over = redis.call('ZCARD', key) - 1 - limits.cap
  if over > limits.slack then redis.call('ZREMRANGEBYRANK', key, 1, over) end
end

-- Entry and seq in one call; false, and no change, when the same bytes stand at another time: LT leaves them there if that time is older,
-- and an entry that is newer than all others can meet no younger one.
local function insert(key, score, entry, seq, reserved, newest)
  local call = redis.call
  if newest then
    if call('ZADD', key, 'LT', score, entry, -seq, reserved) > 0 then return true end
    call('ZADD', key, 1 - seq, reserved)
    return false
  end
  if call('ZADD', key, 'NX', score, entry) == 0 then return false end
  call('ZADD', key, -seq, reserved)
  return true
end

-- The usual entry is newer than all others, and makes four calls into Redis: the state, whether it is the newest, itself with the new
-- seq, the notice. docs/decisions/redis-function-cost.md says what each costs.
local function add_one(key, candidate, score, entry)
  local call, cap = redis.call, limits.cap
  -- Rank 0, if one entry more needs no trim; else nothing.
  local low = call('ZRANGE', key, limits.room_rank, '0', 'WITHSCORES')
  local has_room = low[1]
  if not has_room then low = call('ZRANGE', key, '0', '0', 'WITHSCORES') end
  local reserved, epoch, seq = low[1], candidate, 1
  if reserved and #reserved == RESERVED_BYTES then
    epoch, seq = string.sub(reserved, 2), 1 - tonumber(low[2])
  else
    reserved = '\0' .. epoch
  end
  local not_older = call('ZCOUNT', key, score, '+inf') -- Redis looks at the newest first: 0 costs no search
  if not_older > 0 and has_id(key, score, entry) then return 0 end
  if not_older >= cap and beyond_cap(key, score, entry) then return call('ZSCORE', key, entry) and 0 or -1 end
  if not insert(key, score, entry, seq, reserved, not_older == 0) then return 0 end
  if not has_room then trim(key) end
  call('SPUBLISH', key, notice(epoch, seq, score, entry))
  return seq
end

-- add: KEYS timeline; ARGV epoch candidate (8 bytes), cap, slack, then (published ms, entry) once or more.
-- Answers for each entry: its seq (> 0) when added, 0 when its id is there already, -1 when it would rank beyond the cap (nothing
-- changes then: no seq, no notice). One entry gives an integer, more give a list.
local function add(keys, args)
  set_limits(args[2], args[3])
  if #args == 5 then return add_one(keys[1], args[1], args[4], args[5]) end
  local answers = {}
  for i = 4, #args, 2 do
    answers[#answers + 1] = add_one(keys[1], args[1], args[i], args[i + 1])
  end
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

redis.register_function('feedwire_v1_add', add)
redis.register_function('feedwire_v1_follow', follow)
redis.register_function('feedwire_v1_unfollow', unfollow)
redis.register_function{function_name='feedwire_v1_window', callback=window, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_since', callback=since, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_followers', callback=followers, flags={'no-writes'}}
