#!lua name=feedwire_v1
-- The function library of Feedwire: every write to a timeline, the edges of the follow graph, and the reads that must see one moment.
-- Keys and values are described in schemas/redis.md.
--
-- A timeline is one sorted set: entries with score = published time in ms, and one reserved member, byte 0 and the 8 epoch bytes,
-- whose score is -seq. Published times are positive, so it always has rank 0. The caller gives a random epoch candidate with each
-- write, because Redis' own random numbers are the same after every start.
--
-- Where an entry was removed for good stands a mark: its 16 id bytes and byte 0, at the same score. To `add` it is an entry with that id.

local RESERVED_BYTES = 9 -- an entry has at least 17
local WINDOW = 100 -- members that a window may show: FEED_CAP

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

local function is_mark(member)
  return #member == 17 and string.byte(member, 17) == 0
end

local function has_mark(found)
  for i = 1, #found, 2 do
    if is_mark(found[i]) then return true end
  end
  return false
end

-- The first `limit` members of {member, score, ..} that are no marks.
local function without_marks(found, limit)
  local kept = {}
  for i = 1, #found, 2 do
    if not is_mark(found[i]) and #kept < 2 * limit then
      kept[#kept + 1], kept[#kept + 2] = found[i], found[i + 1]
    end
  end
  return kept
end

-- window: KEYS timeline; ARGV limit, then optionally the epoch and seq that the caller knows.
-- Answers {epoch, seq, {entry, published ms, ..}}, newest first; epoch '' and seq 0 when there is no such timeline. When epoch and seq are the
-- known ones, nothing has changed and the list is left out. Marks are left out, and entries behind them shown instead, down to rank 100.
local function window(keys, args)
  local key, limit = keys[1], tonumber(args[1])
  local epoch, seq, reserved = state_of(key)
  if args[2] and args[2] == epoch and tonumber(args[3]) == seq then return {epoch, seq} end
  local found = {}
  if limit > 0 and reserved then
    found = redis.call('ZRANGE', key, 0, limit - 1, 'REV', 'WITHSCORES')
    if has_mark(found) then
      if limit < WINDOW then found = redis.call('ZRANGE', key, 0, WINDOW - 1, 'REV', 'WITHSCORES') end
      found = without_marks(found, limit)
    end
    local n = #found
    if found[n - 1] == reserved then found[n], found[n - 1] = nil, nil end
  end
  return {epoch, seq, found}
end

-- since: KEYS outbox; ARGV time ms, count. Answers {published ms, member, ..}, oldest first: all members not older than the time, and
-- the newest `count` of the older ones. Marks are among them, so that the feed that is filled from it gets them too; and they count, so
-- that filling it once more brings nothing else.
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

-- ---- removing ----

-- Says that the entry has gone from the timeline: `left` is the mark that stands there now, or the id alone where the entry may come again.
local function announce_removal(key, epoch, seq, score, left)
  redis.call('SPUBLISH', key, cmsgpack.pack({2, epoch, seq, tonumber(score), left}))
end

-- A mark where nothing stood: not a change that anybody could see, so neither seq nor notice. Like an entry, it is of no use beyond the cap.
local function leave_mark(key, cap, slack, score, mark, reserved)
  local members = redis.call('ZCARD', key) - (reserved and 1 or 0)
  if members >= cap then
    local last = redis.call('ZRANGE', key, cap - 1, cap - 1, 'REV', 'WITHSCORES')
    local time, last_time = tonumber(score), tonumber(last[2])
    if time < last_time or (time == last_time and before(mark, last[1])) then return end
  end
  redis.call('ZADD', key, score, mark)
  if members + 1 > cap + slack then
    local lowest = reserved and 1 or 0
    redis.call('ZREMRANGEBYRANK', key, lowest, lowest + members - cap)
  end
end

-- Every entry of that id becomes a mark. `score` says where to look for it, '' everywhere; where to leave a mark if none is there, '' nowhere.
-- Answers the seq, 0 when nothing that anybody could see has changed.
local function remove_id(key, cap, slack, id, look, leave)
  local epoch, seq, reserved = state_of(key)
  local found
  if look ~= '' then
    found = redis.call('ZRANGE', key, look, look, 'BYSCORE', 'WITHSCORES')
  else
    found = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  end
  local mark, marked, changed = id .. '\0', false, false
  for i = 1, #found, 2 do
    local member, score = found[i], found[i + 1]
    if string.sub(member, 1, 16) == id then
      marked = marked or score == leave
      if member ~= mark then
        changed, seq = true, seq + 1
        redis.call('ZREM', key, member)
        redis.call('ZADD', key, score, mark)
        announce_removal(key, epoch, seq, score, mark)
      end
    end
  end
  if changed then redis.call('ZADD', key, string.format('%d', -seq), reserved) end
  if leave ~= '' and not marked and not changed then leave_mark(key, cap, slack, leave, mark, reserved) end
  return changed and seq or 0
end

-- remove: KEYS timeline; ARGV cap, slack, id (16 bytes), where to look (ms; '' everywhere), where to leave a mark if nothing is there (ms;
-- '' nowhere). Answers the seq when an entry was removed, else 0: nothing was there, or a mark.
local function remove(keys, args)
  return remove_id(keys[1], tonumber(args[1]), tonumber(args[2]), args[3], args[4], args[5])
end

-- find: KEYS outbox; ARGV id. Answers {how many entries have it, published ms of the newest of them or of the mark, that entry}; 0, '' and ''
-- where it does not know the id, 0 and the time of a mark where it was removed.
local function find(keys, args)
  local id, count, time, entry = args[1], 0, '', ''
  local found = redis.call('ZRANGE', keys[1], 0, -1, 'WITHSCORES')
  for i = 1, #found, 2 do
    if string.sub(found[i], 1, 16) == id then
      if not is_mark(found[i]) then
        count, time, entry = count + 1, found[i + 1], found[i]
      elseif count == 0 then
        time = found[i + 1]
      end
    end
  end
  return {count, time, entry}
end

-- post: KEYS outbox; ARGV as for add, with one entry. Answers as add, and -3 when this activity was removed: then it goes nowhere.
local function post(keys, args)
  local answer = add(keys, args)
  if answer == 0 and redis.call('ZSCORE', keys[1], string.sub(args[5], 1, 16) .. '\0') then return -3 end
  return answer
end

-- backfill: KEYS home feed; ARGV as for add, with members of an outbox: entries are added, marks remove what they are for. Answers a list.
local function backfill(keys, args)
  local answers = {}
  local one = {args[1], args[2], args[3]}
  for i = 4, #args, 2 do
    if is_mark(args[i + 1]) then
      remove_id(keys[1], tonumber(args[2]), tonumber(args[3]), string.sub(args[i + 1], 1, 16), args[i], args[i])
      answers[#answers + 1] = 0
    else
      one[4], one[5] = args[i], args[i + 1]
      answers[#answers + 1] = add(keys, one)
    end
  end
  return answers
end

-- ---- edges ----

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
redis.register_function('feedwire_v1_post', post)
redis.register_function('feedwire_v1_backfill', backfill)
redis.register_function('feedwire_v1_remove', remove)
redis.register_function('feedwire_v1_follow', follow)
redis.register_function('feedwire_v1_unfollow', unfollow)
redis.register_function{function_name='feedwire_v1_window', callback=window, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_since', callback=since, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_find', callback=find, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_followers', callback=followers, flags={'no-writes'}}
