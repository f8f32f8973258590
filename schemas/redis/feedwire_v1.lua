#!lua name=feedwire_v1
-- The function library of Feedwire: every write to a timeline, the edges of the follow graph, and the reads that must see one moment.
-- Keys and values are described in schemas/redis.md.
--
-- A timeline is one sorted set: entries with score = published time in ms, and one reserved member, byte 0 and the 8 epoch bytes,
-- whose score is -seq. Published times are positive, so it always has rank 0. The caller gives a random epoch candidate with each
-- write, because Redis' own random numbers are the same after every start.
--
-- Where an entry was removed for good stands a mark: its 16 id bytes and byte 0, at the same score. To `add` it is an entry with that id.
--
-- A home feed that nobody has read for long is not there (it sleeps), and pushes to it change nothing: an empty epoch candidate says that a
-- timeline may not be made. Wake makes it: first as one that is being built, whose reserved member has one byte more. Adds land in it like in
-- any other, but to readers it is not there yet.

-- Whoever loads this library into a master puts three bytes of its replication id here. They begin every epoch that it writes, so that a
-- timeline gets another epoch with its first write after a failover: what the old master had numbered and lost is never taken for known.
local GENERATION = ''
local GENERATION_END = 1 + #GENERATION -- its last byte in a reserved member

local RESERVED_BYTES = 9 -- an entry has at least 17, a mark has 17
local BUILDING_BYTES = 10
local ASLEEP = -4
local WINDOW = 100 -- members that a window may show: FEED_CAP

local function state_of(key)
  local low = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if low[1] and #low[1] <= BUILDING_BYTES then
    return string.sub(low[1], 2, RESERVED_BYTES), -tonumber(low[2]), low[1]
  end
  return '', 0, nil
end

-- Before a write: the epoch that its notices carry, and the reserved member that it leaves. Puts a new one in the place of one that is from
-- before a failover.
local function renew(key, reserved)
  if string.sub(reserved, 2, GENERATION_END) == GENERATION then return string.sub(reserved, 2, RESERVED_BYTES), reserved end
  local fresh = '\0' .. GENERATION .. string.sub(reserved, GENERATION_END + 1)
  redis.call('ZADD', key, redis.call('ZSCORE', key, reserved), fresh)
  redis.call('ZREM', key, reserved)
  return string.sub(fresh, 2, RESERVED_BYTES), fresh
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

-- ---- what a user has settled about others ----
--
-- The hash m: has, for each other user about whom there is anything, a field with that name and registers as its value: a letter and the
-- time of the newest event of that kind. Events of one kind may come in any order and again, so the newest of each decides. They stand in
-- the slot of the user's feeds, where every write to these sees them.
--   u ended following, f follows again since (only if later than u) | m muted, n unmuted | b blocked, c unblocked | B, C the same by the other
--   v, d, D the first end after m, b, B, where there was more than one: it hides no more than it must | p the newest purge of what had been kept | e when a block
--   ended the edge from the other
-- A verb that is left out of the home feed has the field '#verb' with x (left out since) and i (not any more since), and '#' has the time
-- and the words of the newest list.

local LETTERS = {'u', 'f', 'm', 'n', 'b', 'c', 'B', 'C', 'x', 'i', 'v', 'd', 'D', 'p', 'e'}

local function parse_registers(value)
  local found = {}
  for letter, time in string.gmatch(value or '', '(%a)(%d+)') do
    found[letter] = tonumber(time)
  end
  return found
end

local function read_registers(key, field)
  return parse_registers(redis.call('HGET', key, field))
end

local function write_registers(key, field, registers)
  local parts = {}
  for _, letter in ipairs(LETTERS) do
    if registers[letter] then parts[#parts + 1] = letter .. string.format('%.0f', registers[letter]) end
  end
  redis.call('HSET', key, field, table.concat(parts, ' '))
end

local function newest(a, b)
  return (a and a > b) and a or b
end

-- Something is on at this moment; at the same moment on wins, because it shows less.
local function is_on(on, off)
  return on and not (off and off > on)
end

-- Whether what was published then is left out: all of it while it is on, and what is from before it was ended.
local function hides(on, off, first_off, time)
  return on and (is_on(on, off) or time < (first_off or off))
end

local function blocks(r, time)
  return hides(r.b, r.c, r.d, time) or hides(r.B, r.C, r.D, time)
end

-- A str of msgpack in its shortest form, of at most 255 bytes, and where the next value begins.
local function text_at(bytes, at)
  local head = string.byte(bytes, at)
  if head == 0xd9 then
    local length = string.byte(bytes, at + 1)
    return string.sub(bytes, at + 2, at + 1 + length), at + 2 + length
  end
  if head and head >= 0xa0 and head <= 0xbf then return string.sub(bytes, at + 1, at + head - 0xa0), at + 1 + head - 0xa0 end
  return '', at
end

local function verb_and_actor(entry)
  local verb, next_at = text_at(entry, 18) -- behind the id and the head of the array
  return verb, (text_at(entry, next_at))
end

-- Whether the settings keep this entry out of the timeline. followed: the edge has been looked at already.
local function left_out(timeline, settings, score, entry, followed)
  local verb, actor = verb_and_actor(entry)
  local time = tonumber(score)
  local found = redis.call('HMGET', settings, actor, '#' .. verb)
  local r = parse_registers(found[1])
  if hides(r.m, r.n, r.v, time) or blocks(r, time) then return true end
  if string.sub(timeline, 1, 1) ~= 'f' then return false end
  if r.u and not followed and (not r.f or time < r.f) then return true end
  if not found[2] then return false end
  local word = parse_registers(found[2])
  return word.x and time >= word.x and not (word.i and word.i >= word.x and time >= word.i)
end

-- ---- adding ----

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

-- The usual entry is newer than all others, and makes four calls into Redis after the look for settings: the state, whether it is the newest, itself with the new
-- seq, the notice. docs/decisions/redis-function-cost.md says what each costs.
local function add_one(key, settings, candidate, score, entry)
  local call, cap = redis.call, limits.cap
  -- Rank 0, if one entry more needs no trim; else nothing.
  local low = call('ZRANGE', key, limits.room_rank, '0', 'WITHSCORES')
  local has_room = low[1]
  if not has_room then low = call('ZRANGE', key, '0', '0', 'WITHSCORES') end
  local reserved, epoch, seq = low[1], nil, 1
  local known = reserved and #reserved <= BUILDING_BYTES
  if known then
    epoch, seq = string.sub(reserved, 2, RESERVED_BYTES), 1 - tonumber(low[2])
  elseif candidate == '' then
    return ASLEEP
  else
    epoch = GENERATION .. string.sub(candidate, GENERATION_END)
    reserved = '\0' .. epoch
  end
  local not_older = call('ZCOUNT', key, score, '+inf') -- Redis looks at the newest first: 0 costs no search
  if not_older > 0 and has_id(key, score, entry) then return 0 end
  if settings and left_out(key, settings, score, entry) then return -2 end
  if not_older >= cap and beyond_cap(key, score, entry) then return call('ZSCORE', key, entry) and 0 or -1 end
  if known and string.sub(reserved, 2, GENERATION_END) ~= GENERATION then epoch, reserved = renew(key, reserved) end
  if not insert(key, score, entry, seq, reserved, not_older == 0) then return 0 end
  if not has_room then trim(key) end
  call('SPUBLISH', key, notice(epoch, seq, score, entry))
  return seq
end

-- add: KEYS timeline, then optionally the settings of its user; ARGV epoch candidate (8 bytes; '': the timeline may not be made), cap,
-- slack, then (published ms, entry) once or more. Answers for each entry: its seq (> 0) when added, 0 when its id is there already, -1 when it
-- would rank beyond the cap, -2 when the settings keep it out, -4 when there is no timeline and none may be made (nothing changes then: no seq,
-- no notice). One entry gives an integer, more give a list.
local function add(keys, args)
  set_limits(args[2], args[3])
  local settings = keys[2] and redis.call('EXISTS', keys[2]) == 1 and keys[2]
  if #args == 5 then return add_one(keys[1], settings, args[1], args[4], args[5]) end
  local answers = {}
  for i = 4, #args, 2 do
    answers[#answers + 1] = add_one(keys[1], settings, args[1], args[i], args[i + 1])
  end
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

-- ---- reading ----

local SOURCES = 1000 -- outboxes that are merged into one home feed: FEED_SOURCES_MAX
local NEVER = 253402300800000 -- one more than the latest time of an activity

-- From when on what was published is seen, as far as one pair of registers says; `first_off` as for hides.
local function seen_from(on, off, first_off)
  if not on then return 0 end
  return is_on(on, off) and NEVER or (first_off or off)
end

-- The broadcast authors whom somebody follows, newest follow first: {author, time of the follow, from when on what they publish is seen, ..}.
local function sources_of(broadcasts, settings)
  local found = redis.call('ZRANGE', broadcasts, 0, SOURCES - 1, 'REV', 'WITHSCORES')
  local names, sources = {}, {}
  for i = 1, #found, 2 do names[#names + 1] = found[i] end
  local settled = redis.call('EXISTS', settings) == 1 and redis.call('HMGET', settings, unpack(names))
  for i, name in ipairs(names) do
    local r = parse_registers(settled and settled[i])
    local from = math.max(seen_from(r.m, r.n, r.v), seen_from(r.b, r.c, r.d), seen_from(r.B, r.C, r.D))
    sources[#sources + 1], sources[#sources + 2], sources[#sources + 3] = name, found[2 * i], string.format('%.0f', from)
  end
  return sources
end

-- The verbs that somebody leaves out of the home feed, or did: {verb, from, until, ..}.
local function verbs_left_out(settings)
  local rules = {}
  if redis.call('HEXISTS', settings, '#') == 0 then return rules end
  for _, field in ipairs(redis.call('HKEYS', settings)) do
    local verb = string.match(field, '^#(.+)$')
    local word = verb and read_registers(settings, field)
    if word and word.x then
      local ended = word.i and word.i >= word.x and word.i or NEVER
      rules[#rules + 1], rules[#rules + 2], rules[#rules + 3] = verb, string.format('%.0f', word.x), string.format('%.0f', ended)
    end
  end
  return rules
end

-- window: KEYS timeline, then optionally the broadcast authors and the settings of a home feed's user; ARGV limit, then optionally the epoch and
-- seq that the caller knows, and 'merged' if these are of a feed whose broadcast authors it knows too.
-- Answers {epoch, seq, {entry, published ms, ..}}, newest first; epoch '' and seq 0 when there is no such timeline. When epoch and seq are the
-- known ones, nothing has changed and the list is left out. Marks are left out, and entries behind them shown instead, down to rank 100.
-- If there are broadcast authors (and a limit), two lists follow: what sources_of and verbs_left_out say; and how many authors there are.
local function window(keys, args)
  local key, limit = keys[1], tonumber(args[1])
  local epoch, seq, reserved = state_of(key)
  if reserved and #reserved == BUILDING_BYTES then epoch, seq, reserved = '', 0, nil end
  local broadcasts = limit > 0 and keys[2] and redis.call('EXISTS', keys[2]) == 1 and keys[2]
  if args[2] and args[2] == epoch and tonumber(args[3]) == seq and (args[4] or not broadcasts) then return {epoch, seq} end
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
  if not broadcasts then return {epoch, seq, found} end
  return {epoch, seq, found, sources_of(broadcasts, keys[3]), verbs_left_out(keys[3]), redis.call('ZCARD', broadcasts)}
end

-- outbox: KEYS timeline; ARGV limit. Answers as window, with the marks: whoever merges an outbox into feeds must know what they hide there.
local function outbox(keys, args)
  local epoch, seq, reserved = state_of(keys[1])
  if not reserved then return {epoch, seq, {}} end
  local found = redis.call('ZRANGE', keys[1], 0, tonumber(args[1]) - 1, 'REV', 'WITHSCORES')
  local n = #found
  if found[n - 1] == reserved then found[n], found[n - 1] = nil, nil end
  return {epoch, seq, found}
end

-- since: KEYS outbox, then optionally its author's state; ARGV time ms, count. Answers {published ms, member, ..}, oldest first: all members
-- not older than the time, and the newest `count` of the older ones. Marks are among them, so that the feed that is filled from it gets them
-- too; and they count, so that filling it once more brings nothing else. Of an author who has ever crossed the threshold of broadcasting,
-- the first pair is the number of the last crossing, and 'up', 'on', 'down' or ''.
local function since(keys, args)
  local key, time, count = keys[1], args[1], tonumber(args[2])
  local out = {}
  local state = keys[2] and redis.call('HMGET', keys[2], 'gen', 'broadcast')
  if state and state[1] then out = {state[1], state[2] or ''} end
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

-- How the author stands (broadcast authors, below), read after the outbox was written: the answer alone for those who never were one.
local function with_author(answer, author)
  local state = author and redis.call('HMGET', author, 'broadcast', 'on')
  if not state or not state[1] then return answer end
  return {answer, state[1], tonumber(state[2] or 0)}
end

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
local function remove_id(key, cap, slack, id, look, leave, may_sleep)
  local epoch, seq, reserved = state_of(key)
  if may_sleep and not reserved then return 0 end
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
        if not changed then epoch, reserved = renew(key, reserved) end
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

-- remove: KEYS timeline, of an outbox optionally also its author's state; ARGV cap, slack, id (16 bytes), where to look (ms; '' everywhere),
-- where to leave a mark if nothing is there (ms; '' nowhere). Answers the seq when an entry was removed, else 0: nothing was there, or a
-- mark; a sixth argument, 'sleeps', says that a timeline that is not there gets no mark. With the state of the author as post does.
local function remove(keys, args)
  return with_author(remove_id(keys[1], tonumber(args[1]), tonumber(args[2]), args[3], args[4], args[5], args[6] == 'sleeps'), keys[2])
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

-- post: KEYS outbox, then optionally the author's state; ARGV as for add, with one entry. Answers as add, and -3 when this activity was
-- removed: then it goes nowhere. Of an author who is, becomes or ceases to be a broadcast one: {that, 'up', 'on' or 'down', since when it
-- has been 'on', ms}.
local function post(keys, args)
  local answer = add({keys[1]}, args)
  if answer == 0 and redis.call('ZSCORE', keys[1], string.sub(args[5], 1, 16) .. '\0') then answer = -3 end
  return with_author(answer, keys[2])
end

-- backfill: KEYS home feed, settings; ARGV as for add, with members of an outbox, and before them the time of the edge for which this is
-- done: entries are added, marks remove what they are for. Answers a list, as add; -2 for all when the edge is not that one any more.
local function backfill(keys, args)
  local answers = {}
  local home, settings, edge = {keys[1]}, keys[2], tonumber(args[4])
  local settled = redis.call('EXISTS', settings) == 1
  local one = {args[1], args[2], args[3]}
  local gone
  for i = 5, #args, 2 do
    local score, member = args[i], args[i + 1]
    local answer = 0
    if is_mark(member) then
      remove_id(keys[1], tonumber(args[2]), tonumber(args[3]), string.sub(member, 1, 16), score, score, args[1] == '')
    else
      if settled and gone == nil then
        local _, actor = verb_and_actor(member)
        local r = read_registers(settings, actor)
        gone = r.u ~= nil and (r.f == nil or r.f > edge)
      end
      if gone or (settled and left_out(keys[1], settings, score, member, true)) then
        answer = -2
      else
        one[4], one[5] = score, member
        answer = add(home, one)
      end
    end
    answers[#answers + 1] = answer
  end
  return answers
end

-- Takes all entries of the actor that are older than `time` (nil: all) out of a timeline, without marks: whoever does this keeps them
-- away by the settings. What nobody sees is trimmed first, so that nothing comes into view by it. Answers how many there were.
local function take_out(key, actor, time, cap)
  local epoch, seq, reserved = state_of(key)
  if not reserved then return 0 end
  local members = redis.call('ZCARD', key) - 1
  if members > cap then redis.call('ZREMRANGEBYRANK', key, 1, members - cap) end
  local found = redis.call('ZRANGE', key, 1, -1, 'WITHSCORES')
  local count = 0
  for i = 1, #found, 2 do
    local member, score = found[i], found[i + 1]
    if not is_mark(member) and (not time or tonumber(score) < time) then
      local _, by = verb_and_actor(member)
      if by == actor then
        if count == 0 then epoch, reserved = renew(key, reserved) end
        redis.call('ZREM', key, member)
        count, seq = count + 1, seq + 1
        announce_removal(key, epoch, seq, score, string.sub(member, 1, 16))
      end
    end
  end
  if count > 0 then redis.call('ZADD', key, string.format('%d', -seq), reserved) end
  return count
end

-- ---- pages of followers ----
--
-- The followers of an author stand in pages, each with g:, k: and l: and the hash q: in a slot of its own. Page 0 is always there. A page of
-- level n holds those whose hash agrees with its number in the lowest n bits; to split it, its level rises by one, and those who do not agree
-- any more belong to the page with the next bit set, its child, whose level is at least that from the beginning. So the pages of an author
-- are a tree; a page knows its own level, and nobody else need know it: a call with an edge that belongs elsewhere is sent on to the child,
-- and takes along what the page still has of that edge, because moving the edges takes its time. Fields of q:
--   level  absent: the one that its number was born with
--   moving edges of the youngest child may still stand here; filling: edges of this page may still stand in its parent

local PAGE_LEVEL_MAX = 14
local ELSEWHERE = -1
local TODO_NOTHING, TODO_MOVE, TODO_FILL, TODO_SPLIT = 0, 1, 2, 3

local function page_born(page)
  local level = 0
  while page >= 2 ^ level do level = level + 1 end
  return level
end

-- Products stay below 2^53.
local function page_hash(user)
  local hash = 1
  for i = 1, #user do hash = (hash * 48271 + string.byte(user, i)) % 2147483647 end
  return hash
end

-- The child to which this user belongs; nil: to the page itself.
local function page_child(page, level, user)
  if level == 0 then return nil end
  local off = (page_hash(user) - page) % 2 ^ level
  if off == 0 then return nil end
  local bit = 1
  while off % (2 * bit) == 0 do bit = bit * 2 end
  return page + bit
end

local function page_state(key, page)
  local found = redis.call('HMGET', key, 'level', 'moving', 'filling')
  return {level = tonumber(found[1] or page_born(page)), moving = found[2], filling = found[3]}
end

local function edge_times(keys, user)
  local at, ended = redis.call('ZSCORE', keys[1], user), redis.call('ZSCORE', keys[2], user)
  local latest = keys[3] and redis.call('ZSCORE', keys[3], user)
  return tonumber(at or 0), tonumber(ended or 0), tonumber(latest or 0)
end

-- Two states of one edge, each of which was true once, become one: the last end, the oldest follow after it, the newest. To join a state
-- once more changes nothing, also when others have been joined meanwhile.
local function join_times(times, ended)
  local since, latest = 0, 0
  for _, time in ipairs(times) do
    if time > ended then
      if since == 0 or time < since then since = time end
      if time > latest then latest = time end
    end
  end
  return since, latest > since and latest or 0
end

local function put_time(key, was, is, user)
  if is == was then return end
  if is == 0 then redis.call('ZREM', key, user) else redis.call('ZADD', key, string.format('%.0f', is), user) end
end

-- Answers how the edge stands now: since, ended, latest.
local function join_edge(keys, user, since, ended, latest)
  local at, was_ended, was_latest = edge_times(keys, user)
  local last_end = math.max(ended, was_ended)
  local joined, newest_follow = join_times({at, since, was_latest, latest}, last_end)
  put_time(keys[1], at, joined, user)
  put_time(keys[2], was_ended, last_end, user)
  if keys[3] then put_time(keys[3], was_latest, newest_follow, user) end
  return joined, last_end, newest_follow
end

-- Comes before every call about one edge. Answers {ELSEWHERE, child, since, ended, latest} when the edge belongs to a child, else nil and the
-- state of the page, with what was brought along from the parent joined. carried: since, ended, latest, from args[i] on, behind the page.
local function page_visit(keys, user, args, i)
  local page = tonumber(args[i])
  local state = page_state(keys[4], page)
  local since, ended, latest = tonumber(args[i + 1]), tonumber(args[i + 2]), tonumber(args[i + 3])
  local child = page_child(page, state.level, user)
  if child then
    local own_since, own_ended, own_latest = edge_times(keys, user)
    ended = math.max(ended, own_ended)
    since, latest = join_times({since, latest, own_since, own_latest}, ended)
    return {ELSEWHERE, child, since, ended, latest}
  end
  if since + ended + latest > 0 then join_edge(keys, user, since, ended, latest) end
  return nil, state
end

-- The end of an answer about an edge: how many followers the author has, judged by this page (0: not known while edges move), what is to be
-- done for the page, its level.
local function page_news(answer, keys, state, limit)
  local count, todo, followers = redis.call('ZCARD', keys[1]), TODO_NOTHING, 0
  if state.moving then
    todo = TODO_MOVE
  elseif state.filling then
    if count > tonumber(limit) then todo = TODO_FILL end
  else
    followers = count * 2 ^ state.level
    if count > tonumber(limit) and state.level < PAGE_LEVEL_MAX then todo = TODO_SPLIT end
  end
  answer[4], answer[5], answer[6] = followers, todo, state.level
  return answer
end

-- page_fill: KEYS q: of a page; ARGV '1' before its parent is split, '0' when nothing of it is left there.
local function page_fill(keys, args)
  if args[1] == '1' then return redis.call('HSET', keys[1], 'filling', '1') end
  return redis.call('HDEL', keys[1], 'filling')
end

-- page_split: KEYS the four of a page; ARGV page, the level that it has, limit. From here on no edge of the child is written to this page.
-- Answers its level now: one more if it was split, the one that it has if somebody else did, or if it need not be any more.
local function page_split(keys, args)
  local state = page_state(keys[4], tonumber(args[1]))
  if state.level == tonumber(args[2]) and not state.moving and not state.filling and state.level < PAGE_LEVEL_MAX and
    redis.call('ZCARD', keys[1]) > tonumber(args[3]) then
    state.level = state.level + 1
    redis.call('HSET', keys[4], 'level', state.level, 'moving', '1')
  end
  return state.level
end

local PAGE_SCAN = 500 -- members that one call looks at

-- page_take: KEYS the four of a page; ARGV child, how many at most, where to go on ('' and '' at first, else as the answer before said), then
-- users who stand in the child now: they go out. Answers {set, user, (user, since, ended, latest) ..}: edges that belong to the child,
-- and where to go on; set is '' when this was the end.
local function page_take(keys, args)
  local child, count, set, after = tonumber(args[1]), tonumber(args[2]), args[3], args[4]
  if set == '' then set = 'g' end
  local key = set == 'g' and keys[1] or keys[2]
  local rank = after ~= '' and redis.call('ZRANK', key, after)
  local start = rank and rank + 1 or 0
  for i = 5, #args do
    local removed = redis.call('ZREM', keys[1], args[i])
    local ended = redis.call('ZREM', keys[2], args[i])
    redis.call('ZREM', keys[3], args[i])
    if start > 0 then start = start - (set == 'g' and removed or ended) end
  end
  local answer, born = {set, after}, page_born(child)
  local found = redis.call('ZRANGE', key, start, start + PAGE_SCAN - 1)
  for _, user in ipairs(found) do
    if #answer >= 2 + 4 * count then return answer end
    if (page_hash(user) - child) % 2 ^ born == 0 then
      local since, ended, latest = edge_times(keys, user)
      local n = #answer
      answer[n + 1], answer[n + 2], answer[n + 3], answer[n + 4] = user, since, ended, latest
    end
    answer[2] = user
  end
  if #found < PAGE_SCAN then
    answer[1], answer[2] = set == 'g' and 'k' or '', ''
    if set == 'k' and #answer == 2 then
      local bit = 2 ^ (born - 1)
      if page_state(keys[4], child - bit).level == born then redis.call('HDEL', keys[4], 'moving') end
    end
  end
  return answer
end

-- page_join: KEYS the four of a page; ARGV page, then (user, since, ended, latest) once or more, from its parent. Answers for each 1, or 0 when
-- the edge belongs to a child of this page: then it has to stay where it is, and calls about it bring it along.
local function page_join(keys, args)
  local page, answers = tonumber(args[1]), {}
  local level = page_state(keys[4], page).level
  for i = 2, #args, 4 do
    local mine = page_child(page, level, args[i]) == nil
    if mine then join_edge(keys, args[i], tonumber(args[i + 1]), tonumber(args[i + 2]), tonumber(args[i + 3])) end
    answers[#answers + 1] = mine and 1 or 0
  end
  return answers
end

-- ---- broadcast authors ----
--
-- Of a broadcast author nothing is copied: whoever follows one has them in b:, and the gateway merges their outbox. The hash a:, in the slot of
-- the outbox, says how an author stands: 'broadcast' is absent (copied), 'up' (followers are being told, copies go on), 'on' (nothing is
-- copied any more) or 'down' (copied again, and followers are being given what was not). 'gen' is the number of the last crossing, in ms and
-- always rising; c: of a follower has, for each such author, the number of the newest crossing that has reached this follower. An older one
-- changes nothing any more: it is the act of a worker that does not know that it was replaced.

-- Says that b: is another, or what is hidden of those in it. candidate: of the epoch of a feed that is not there; nil or '': it sleeps, and
-- has no reader who need know.
local function announce_sources(home, candidate)
  local epoch, seq, reserved = state_of(home)
  if reserved then
    epoch, reserved = renew(home, reserved)
  elseif candidate and candidate ~= '' then
    epoch = GENERATION .. string.sub(candidate, GENERATION_END)
    reserved = '\0' .. epoch
  else
    return
  end
  redis.call('ZADD', home, string.format('%d', -seq - 1), reserved)
  redis.call('SPUBLISH', home, cmsgpack.pack({3, epoch, seq + 1}))
end

local function end_source(sources, author, home, candidate)
  if not sources or redis.call('ZREM', sources, author) == 0 then return end
  announce_sources(home, candidate)
end

-- False when a younger crossing has been here.
local function reached(crossings, author, gen)
  local known = tonumber(redis.call('HGET', crossings, author) or 0)
  if gen < known then return false end
  if gen > known then redis.call('HSET', crossings, author, string.format('%.0f', gen)) end
  return true
end

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- cross: KEYS author's state; ARGV number of followers, above how many an author is broadcast, below how many not any more, cause (who asks:
-- always the same when the same is done again), after how many ms a crossing is taken over.
-- Begins a crossing when it is time for one. Answers {'up', 'on', 'down' or '', its number, 1 when the caller is to carry it out, else 0}. That
-- is who began it, however often it asks; and somebody else when it takes too long, since then its cause may never come again.
local function cross(keys, args)
  local key, count, cause = keys[1], tonumber(args[1]), args[4]
  local found = redis.call('HMGET', key, 'broadcast', 'gen', 'cause', 'begun')
  local state, gen, now = found[1] or '', tonumber(found[2] or 0), now_ms()
  local mine = (state == 'up' or state == 'down') and
    (found[3] == cause or now - tonumber(found[4] or 0) >= tonumber(args[5]))
  if state == '' and count > tonumber(args[2]) then
    state, gen, mine = 'up', math.max(gen + 1, now), true
  elseif state == 'on' and count < tonumber(args[3]) then
    state, gen, mine = 'down', math.max(gen + 1, now), true
  end
  if mine then
    redis.call('HSET', key, 'broadcast', state, 'gen', string.format('%.0f', gen), 'cause', cause, 'begun', string.format('%.0f', now))
  end
  return {state, gen, mine and 1 or 0}
end

-- cross_end: KEYS author's state, outbox; ARGV number of the crossing. It has reached all followers. Answers 1, or 0 when it was not under way any more.
-- 'on' is a time after which nothing was published that may have been copied: now, or that of the newest activity, whose author's clock may be ahead.
-- Workers of an older version leave the outbox out.
local function cross_end(keys, args)
  local found = redis.call('HMGET', keys[1], 'broadcast', 'gen')
  if found[2] ~= args[1] or (found[1] ~= 'up' and found[1] ~= 'down') then return 0 end
  if found[1] == 'up' then
    local newest = keys[2] and redis.call('ZRANGE', keys[2], 0, 0, 'REV', 'WITHSCORES')[2]
    redis.call('HSET', keys[1], 'broadcast', 'on', 'on', string.format('%.0f', math.max(now_ms(), tonumber(newest or 0))))
  else
    redis.call('HDEL', keys[1], 'broadcast', 'on')
  end
  redis.call('HDEL', keys[1], 'cause', 'begun')
  return 1
end

-- source: KEYS home feed, b:, c:, followees; ARGV author, number of the crossing, 'on' or 'off', epoch candidate ('' and with older workers
-- none: the feed is not made). The author is one whose outbox is merged into this feed from now on, if followed, since the time of the edge; or
-- not any more. Answers 1 when that has changed something, 0 when not, -1 when a younger crossing has been here.
local function source(keys, args)
  local home, sources, author = keys[1], keys[2], args[1]
  if not reached(keys[3], author, tonumber(args[2])) then return -1 end
  if args[3] == 'off' then
    if redis.call('ZREM', sources, author) == 0 then return 0 end
  else
    local edge = redis.call('ZSCORE', keys[4], author)
    if not edge or redis.call('ZSCORE', sources, author) == edge then return 0 end
    redis.call('ZADD', sources, edge, author)
  end
  announce_sources(home, args[4])
  return 1
end

-- source_since: KEYS b:; ARGV author. Answers since when the author is followed as one of those in b:, ms, or 0.
local function source_since(keys, args)
  return tonumber(redis.call('ZSCORE', keys[1], args[1]) or 0)
end

-- copy: KEYS home feed, settings, followees, b:, c:; ARGV epoch candidate, cap, slack, author, number of the crossing, backfill, and the whole
-- outbox: a msgpack array of times and members, oldest first. The feed gets what `since` would give for the edge, if there is one; then the
-- author is in b: no more. Answers how many entries were added, -1 when a younger crossing has been here.
local function copy(keys, args)
  local home, settings, author = {keys[1]}, keys[2], args[4]
  if not reached(keys[5], author, tonumber(args[5])) then return -1 end
  local edge, added = tonumber(redis.call('ZSCORE', keys[3], author) or 0), 0
  local members = edge > 0 and cmsgpack.unpack(args[7]) or {}
  local settled = redis.call('EXISTS', settings) == 1
  local first = 1
  while members[first] and tonumber(members[first]) < edge do first = first + 2 end
  local one = {args[1], args[2], args[3]}
  for i = math.max(1, first - 2 * tonumber(args[6])), #members, 2 do
    local score, member = members[i], members[i + 1]
    if is_mark(member) then
      remove_id(keys[1], tonumber(args[2]), tonumber(args[3]), string.sub(member, 1, 16), score, score, args[1] == '')
    elseif not (settled and left_out(keys[1], settings, score, member, true)) then
      one[4], one[5] = score, member
      if add(home, one) > 0 then added = added + 1 end
    end
  end
  end_source(keys[4], author, keys[1], args[1])
  return added
end

-- ---- edges ----

-- On the side of the followed: KEYS g:, k:, l: and q: of one page. l: has the newest follow of those who followed again while following. Behind
-- their own arguments, follow, unfollow and sever have: page, since, ended, latest (what the parent of the page still had of the edge; 0: nothing), limit of
-- a page. An answer {-1, child, since, ended, latest} sends the caller on to the child. l: and q: may be left out of follow, unfollow and sever,
-- with what belongs to them: workers of a version before pages do so, and go on for a while beside newer ones.

local function add_follow(keys, user, time)
  local followers, ended, latest = keys[1], keys[2], keys[3]
  local ended_at = tonumber(redis.call('ZSCORE', ended, user) or '0')
  if ended_at >= tonumber(time) then return {0, ended_at, ended_at} end
  local at = redis.call('ZSCORE', followers, user)
  if not at then
    redis.call('ZADD', followers, time, user)
    return {1, tonumber(time), ended_at}
  end
  if tonumber(time) < tonumber(at) then
    redis.call('ZADD', followers, time, user)
    if latest then redis.call('ZADD', latest, 'GT', at, user) end
    return {2, tonumber(time), ended_at}
  end
  if latest and tonumber(time) > tonumber(at) then redis.call('ZADD', latest, 'GT', time, user) end
  return {2, tonumber(at), ended_at}
end

-- follow: ARGV follower, time ms.
-- Answers {state, edge time, time of the end before it, followers, todo, level}: state 1 a new edge, 2 an edge was there (it keeps the older of
-- the two times), 0 the edge was ended at or after this time. 0 as the third: it was never ended. The last three: see page_news.
local function follow(keys, args)
  if not keys[4] then return add_follow(keys, args[1], args[2]) end
  local elsewhere, state = page_visit(keys, args[1], args, 3)
  return elsewhere or page_news(add_follow(keys, args[1], args[2]), keys, state, args[7])
end

local function end_follow(keys, user, time)
  local followers, ended, latest = keys[1], keys[2], keys[3]
  redis.call('ZADD', ended, 'GT', time, user)
  local at = redis.call('ZSCORE', followers, user)
  if not at then return 2, 0 end
  if tonumber(at) > tonumber(time) then return 0, tonumber(at) end
  local again = latest and redis.call('ZSCORE', latest, user)
  if again then redis.call('ZREM', latest, user) end
  if again and tonumber(again) > tonumber(time) then
    redis.call('ZADD', followers, again, user)
    return 0, tonumber(again)
  end
  redis.call('ZREM', followers, user)
  return 1, 0
end

-- unfollow: ARGV as for follow. Answers {state, edge time or 0, time of this end, followers, todo, level}: state 1 when the edge was ended, 2
-- when there was none to end, 0 when the newest follow is younger than this: then the edge is one of that follow. Without q: only the state.
local function unfollow(keys, args)
  if not keys[4] then return (end_follow(keys, args[1], args[2])) end
  local elsewhere, page = page_visit(keys, args[1], args, 3)
  if elsewhere then return elsewhere end
  local state, since = end_follow(keys, args[1], args[2])
  return page_news({state, since, tonumber(args[2])}, keys, page, args[7])
end

local function sever_edge(keys, user, time)
  local followers, ended, latest = keys[1], keys[2], keys[3]
  for _, key in ipairs({followers, latest}) do
    local at = redis.call('ZSCORE', key, user)
    if at and tonumber(at) > time then time = tonumber(at) end
  end
  redis.call('ZADD', ended, 'GT', string.format('%.0f', time), user)
  redis.call('ZREM', latest, user)
  return redis.call('ZREM', followers, user), time
end

-- sever: ARGV as for follow. Ends the edge whatever its time, and every follow until then. Answers as unfollow, with state 1, or 0 when there
-- was none.
local function sever(keys, args)
  if not keys[4] then return (sever_edge(keys, args[1], tonumber(args[2]))) end
  local elsewhere, page = page_visit(keys, args[1], args, 3)
  if elsewhere then return elsewhere end
  local state, time = sever_edge(keys, args[1], tonumber(args[2]))
  return page_news({state, 0, time}, keys, page, args[7])
end

-- follower_count: KEYS g: and q: of a page; ARGV page. How many follow the author, judged by this page; -1: not known while edges move.
local function follower_count(keys, args)
  local state = page_state(keys[2], tonumber(args[1]))
  if state.moving or state.filling then return -1 end
  return redis.call('ZCARD', keys[1]) * 2 ^ state.level
end

-- On the side of the follower: h:, m: and f:.

-- join: KEYS followees, settings; ARGV followee, time of the follow, time of the edge, time of the end before it (0: none).
-- Answers 1; 0 when the edge was ended at or after the follow; 2 when one of the two had blocked the other then.
local function join(keys, args)
  local followees, settings, user = keys[1], keys[2], args[1]
  local time, edge, ended = tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  local r = read_registers(settings, user)
  if blocks(r, time) then return 2 end
  if ended > 0 then r.u = newest(r.u, ended) end
  if r.u and r.u >= time then return 0 end
  local at = redis.call('ZSCORE', followees, user)
  if r.u and at and tonumber(at) <= r.u then at = nil end
  if at and tonumber(at) < edge then edge = tonumber(at) end
  redis.call('ZADD', followees, string.format('%.0f', edge), user)
  if r.u then
    r.f = edge
    write_registers(settings, user, r)
  end
  return 1
end

-- Edges that were ended with their entries kept: the field '/' and the other's name has their spans, 'since until since until ..', oldest first.
-- A wake brings back what was kept, so it must know. More than MAX_SPANS become one with the oldest.
local SPANS, MAX_SPANS = '/', 8

local function spans_of(settings, user)
  local spans = {}
  for since, till in string.gmatch(redis.call('HGET', settings, SPANS .. user) or '', '(%d+) (%d+)') do
    spans[#spans + 1] = {since, till}
  end
  return spans
end

local function write_spans(settings, user, spans)
  while #spans > MAX_SPANS do
    spans[2][1] = spans[1][1]
    table.remove(spans, 1)
  end
  local parts = {}
  for _, span in ipairs(spans) do parts[#parts + 1] = span[1] .. ' ' .. span[2] end
  redis.call('HSET', settings, SPANS .. user, table.concat(parts, ' '))
end

local function keep_span(settings, user, since, till)
  local spans = spans_of(settings, user)
  local last = spans[#spans]
  local from = string.format('%.0f', since)
  if last and last[1] == from then
    last[2] = string.format('%.0f', till)
  else
    spans[#spans + 1] = {from, string.format('%.0f', till)}
  end
  write_spans(settings, user, spans)
end

-- Of a pair about which there is or was something kept, the topic graph has to be told: then there is a second element, for who asks for it.
local function with_kept(answer, asked, settings, user, r)
  if not asked then return answer end
  if r.p or redis.call('HEXISTS', settings, SPANS .. user) == 1 then return {answer, 'kept'} end
  return answer
end

-- leave: KEYS followees, settings, home feed, b:; ARGV followee, time of the unfollow, cap, 'purge' or 'keep'; optionally 'kept'. From here on nothing
-- of the followee gets into the home feed, also from a page of followers that was read before. Answers how many entries were purged, -1 when there
-- is a younger edge or end; with 'kept', where something is or was kept of the followee, {that, 'kept'}.
local function leave(keys, args)
  local followees, settings, home, user, time = keys[1], keys[2], keys[3], args[1], tonumber(args[2])
  local at = redis.call('ZSCORE', followees, user)
  local r = read_registers(settings, user)
  if (at and tonumber(at) > time) or (r.u and r.u > time) then return with_kept(-1, args[5], settings, user, r) end
  redis.call('ZREM', followees, user)
  r.u, r.f = time, nil
  local purged = args[4] ~= 'keep' and redis.call('HDEL', settings, SPANS .. user)
  if purged == 1 or (purged and r.p) then r.p = newest(r.p, time) end
  write_registers(settings, user, r)
  end_source(keys[4], user, home)
  local count = 0
  if purged then
    count = take_out(home, user, nil, tonumber(args[3]))
  elseif at then
    keep_span(settings, user, tonumber(at), time)
  end
  return with_kept(count, args[5], settings, user, r)
end

-- ---- muting, blocking, leaving out ----

local OTHERS = {m = 'n', n = 'm', b = 'c', c = 'b', B = 'C', C = 'B'}
local ENDS = {n = true, c = true, C = true}
local FIRST_ENDS = {m = 'v', n = 'v', b = 'd', c = 'd', B = 'D', C = 'D'}

-- settle: KEYS settings, followees, home feed, notifications, b:; ARGV letter, the other user, time, cap.
-- The register takes the newest time. Whatever is left out then is taken out: when it is on, all of the other; when it was ended later,
-- what is from before the end. A block ends the edge too. Answers {1 if it is on now else 0, time of the edge or 0}.
local function settle(keys, args)
  local settings, followees, letter, user, time = keys[1], keys[2], args[1], args[2], tonumber(args[3])
  local r = read_registers(settings, user)
  r[letter] = newest(r[letter], time)
  local on, off = r[letter], r[OTHERS[letter]]
  if ENDS[letter] then on, off = off, on end
  local active = is_on(on, off)
  local first = FIRST_ENDS[letter]
  if ENDS[letter] and time > (on or 0) and time < (r[first] or math.huge) then r[first] = time end
  if r[first] and on and r[first] <= on then r[first] = nil end
  if not ENDS[letter] then
    local before_time = not active and (r[first] or off) or nil
    take_out(keys[3], user, before_time, tonumber(args[4]))
    take_out(keys[4], user, before_time, tonumber(args[4]))
  end
  local edge = tonumber(redis.call('ZSCORE', followees, user) or '0')
  if active and (letter == 'b' or letter == 'B') then
    redis.call('ZREM', followees, user)
    r.u, r.f, edge = newest(r.u, math.max(time, edge)), nil, 0
    end_source(keys[5], user, keys[3])
  elseif keys[5] and redis.call('ZSCORE', keys[5], user) then
    announce_sources(keys[3])
  end
  write_registers(settings, user, r)
  return {active and 1 or 0, edge}
end

-- filter: KEYS settings, home feed, b:; ARGV time, then the verbs that are left out of the home feed from then on, all of them. Answers 1, or 0 when a
-- newer list is there (of the same time: one that is greater by bytes).
local function filter(keys, args)
  local settings, time = keys[1], tonumber(args[1])
  local words, listed = {}, {}
  for i = 2, #args do
    words[#words + 1] = args[i]
    listed[args[i]] = true
  end
  table.sort(words, before)
  local list = table.concat(words, ' ')
  local old_time, old_list = string.match(redis.call('HGET', settings, '#') or '', '^(%d+) (.*)$')
  if old_time and (tonumber(old_time) > time or (tonumber(old_time) == time and not before(old_list, list))) then return 0 end
  for word in string.gmatch(old_list or '', '%S+') do
    if not listed[word] then
      local r = read_registers(settings, '#' .. word)
      r.i = time
      write_registers(settings, '#' .. word, r)
    end
    listed[word] = listed[word] and 'again'
  end
  for _, word in ipairs(words) do
    if listed[word] ~= 'again' then write_registers(settings, '#' .. word, {x = time}) end
  end
  redis.call('HSET', settings, '#', string.format('%.0f ', time) .. list)
  if keys[3] and redis.call('EXISTS', keys[3]) == 1 then announce_sources(keys[2]) end
  return 1
end

-- followers: KEYS g: or k: of a page, then optionally its q:; ARGV time ms, count, then optionally the cursor: the last follower of the answer before and the
-- time of its follow. With q:, also the page as the last argument.
-- Answers {time of the last one's follow, follower, ..}: up to `count` of those whose follow is not younger than the time, oldest follow
-- first; an empty list when there are no more. With q:, the level of the page comes before that: its children up to that level are to be read
-- too, after the last of this page. By ranks, so that a part deep inside costs no more than the first one.
local function followers(keys, args)
  local key, time, count, after, after_time = keys[1], args[1], tonumber(args[2]), args[3], args[4]
  local answer = {}
  if keys[2] then
    answer[1] = page_state(keys[2], tonumber(args[#args])).level
    if #args == 3 then after = nil end
  end
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
  if start >= total then return answer end
  local found = redis.call('ZRANGE', key, start, math.min(start + count, total) - 1)
  if #found == 0 then return answer end
  answer[#answer + 1] = tonumber(redis.call('ZSCORE', key, found[#found]))
  for _, user in ipairs(found) do answer[#answer + 1] = user end
  return answer
end

-- ---- sleeping and waking ----

-- wake: KEYS home feed; ARGV epoch candidate, time to live in ms (0: for ever). Makes a feed that is being built, where there is none.
-- Answers 1 when it was made, 2 when it was being built already, 0 when it is awake.
local function wake(keys, args)
  local key = keys[1]
  local _, _, reserved = state_of(key)
  if reserved then return #reserved == BUILDING_BYTES and 2 or 0 end
  redis.call('ZADD', key, '0', '\0' .. GENERATION .. string.sub(args[1], GENERATION_END) .. 'b')
  if args[2] ~= '0' then redis.call('PEXPIRE', key, args[2]) end
  return 1
end

-- awake: KEYS home feed. What was being built is there for readers from here on: a change with a notice of kind 4. Answers its seq; 0 when it
-- is not being built.
local function awake(keys)
  local key = keys[1]
  local epoch, seq, reserved = state_of(key)
  if not reserved or #reserved ~= BUILDING_BYTES then return 0 end
  epoch, reserved = renew(key, reserved)
  seq = seq + 1
  redis.call('ZADD', key, string.format('%d', -seq), '\0' .. epoch)
  redis.call('ZREM', key, reserved) -- afterwards: an empty key would be gone, with its time to live
  redis.call('SPUBLISH', key, cmsgpack.pack({4, epoch, seq, 0, ''}))
  return seq
end

-- sources: KEYS followees, settings, b:; ARGV count, then optionally the cursor: the last three of the answer before. What a home feed is made
-- of: answers {author, since, till, ..}: the followees in the order of their follows, with an empty till, without the broadcast authors, of whom
-- nothing is copied; then the kept spans. An empty list when there are no more. Who follows meanwhile, backfills; who leaves is refused by `fill`;
-- who ceases to be a broadcast author is copied by that.
local function sources(keys, args)
  local followees, settings, count = keys[1], keys[2], tonumber(args[1])
  local after, after_time, after_till = args[2], args[3], args[4]
  local out = {}
  if not after or after_till == '' then
    local start = 0
    if after then
      local at = redis.call('ZSCORE', followees, after)
      if at and tonumber(at) == tonumber(after_time) then
        start = redis.call('ZRANK', followees, after) + 1
      else
        start = redis.call('ZCOUNT', followees, '-inf', '(' .. after_time)
      end
    end
    repeat
      local found = redis.call('ZRANGE', followees, start, start + count - 1, 'WITHSCORES')
      for i = 1, #found, 2 do
        if not redis.call('ZSCORE', keys[3], found[i]) then out[#out + 1], out[#out + 2], out[#out + 3] = found[i], found[i + 1], '' end
      end
      if #out > 0 then return out end
      start = start + count
    until #found < 2 * count
    after = nil
  end
  local names = {}
  for _, field in ipairs(redis.call('HKEYS', settings)) do
    local name = string.sub(field, 2)
    if string.sub(field, 1, 1) == SPANS and not (after and before(name, after)) then names[#names + 1] = name end
  end
  table.sort(names, before)
  for _, name in ipairs(names) do
    for _, span in ipairs(spans_of(settings, name)) do
      local seen = name == after and tonumber(span[1]) <= tonumber(after_time)
      if not seen and #out < 3 * count then out[#out + 1], out[#out + 2], out[#out + 3] = name, span[1], span[2] end
    end
  end
  return out
end

-- part: KEYS outbox; ARGV a word, time ms, count. As since, with the word before it: answers to several may come in any order.
local function part(keys, args)
  local out = since(keys, {args[2], args[3]})
  table.insert(out, 1, args[1])
  return out
end

-- Whether an entry of the author may be brought back for this edge, or for this kept span, as things stand now.
local function may_fill(settings, author, since_ms, till, score)
  if till == '' then
    local r = read_registers(settings, author)
    return r.u == nil or (r.f ~= nil and r.f <= since_ms)
  end
  if tonumber(score) >= tonumber(till) then return false end
  for _, span in ipairs(spans_of(settings, author)) do
    if tonumber(span[1]) <= since_ms and span[2] == till then return true end
  end
  return false
end

-- fill: KEYS home feed, settings; ARGV cap, slack, then once or more (author, since, till, published ms, member of the author's outbox): what
-- `sources` and `part` gave. An empty since: the user's own. The feed is not made. Entries are added, marks remove what they are for.
-- Answers a list, as add.
local function fill(keys, args)
  local home, settings = keys[1], keys[2]
  local cap, slack = tonumber(args[1]), tonumber(args[2])
  local _, _, reserved = state_of(home)
  local settled = redis.call('EXISTS', settings) == 1
  set_limits(args[1], args[2])
  local answers = {}
  for i = 3, #args, 5 do
    local author, since_ms, till, score, member = args[i], args[i + 1], args[i + 2], args[i + 3], args[i + 4]
    local answer = 0
    if not reserved then
      answer = ASLEEP
    elseif is_mark(member) then
      remove_id(home, cap, slack, string.sub(member, 1, 16), score, score, true)
    elseif settled and since_ms ~= '' and not may_fill(settings, author, tonumber(since_ms), till, score) then
      answer = -2
    elseif till ~= '' and not settled then
      answer = -2
    elseif settled and left_out(home, settings, score, member, true) then
      answer = -2
    else
      answer = add_one(home, nil, '', score, member)
    end
    answers[#answers + 1] = answer
  end
  return answers
end

-- progress: as workers of an older version say it. KEYS progress of a partition; ARGV next offset, time ms. Keeps and publishes them.
local function progress(keys, args)
  redis.call('HSET', keys[1], 'offset', args[1], 'time', args[2])
  return redis.call('SPUBLISH', keys[1], cmsgpack.pack({1, tonumber(args[1]), tonumber(args[2])}))
end

-- partitions: KEYS progress of a topic; ARGV partition, next offset (-1: not known), the time up to which it is worked off (ms; 0: not known), lag
-- in ms, state (0 as always, 1 what was done is done again) once or more. Keeps offset and time of each, and publishes the rest.
local function partitions(keys, args)
  local said = {1}
  for i = 1, #args, 5 do
    redis.call('HSET', keys[1], args[i], args[i + 1] .. ' ' .. args[i + 2])
    said[#said + 1] = {tonumber(args[i]), tonumber(args[i + 1]), tonumber(args[i + 3]), tonumber(args[i + 4])}
  end
  return redis.call('SPUBLISH', keys[1], cmsgpack.pack(said))
end

-- edge: KEYS the four of a page; ARGV follower, then page, since, ended, latest as for follow. Answers {time of the follow or 0, time of the last
-- unfollow or 0, time of the newest follow or 0}, or sends the caller on. It only reads, so what was brought along is joined in the answer alone.
local function edge(keys, args)
  local user = args[1]
  local since, ended, latest = edge_times(keys, user)
  if not keys[4] then return {since, ended} end
  local page = tonumber(args[2])
  ended = math.max(ended, tonumber(args[4]))
  since, latest = join_times({since, latest, tonumber(args[3]), tonumber(args[5])}, ended)
  local child = page_child(page, page_state(keys[4], page).level, user)
  if child then return {ELSEWHERE, child, since, ended, latest} end
  return {since, ended, latest}
end

-- edge_load: KEYS as for edge; ARGV follower, time of the follow or 0, time of the last unfollow or 0, time of the newest follow or 0: a state of the edge
-- that was true once; then as for follow. Joins it with the present state. Answers {since or 0, ended or 0, latest or 0, followers, todo, level}, or sends
-- the caller on.
local function edge_load(keys, args)
  local elsewhere, page = page_visit(keys, args[1], args, 5)
  if elsewhere then return elsewhere end
  local answer = {join_edge(keys, args[1], tonumber(args[2]), tonumber(args[3]), tonumber(args[4]))}
  return page_news(answer, keys, page, args[9])
end

-- followee_load: KEYS followees, settings; ARGV followee, time of the follow or 0, time of the last unfollow or 0: how edge_load has left the edge. Joins
-- it with the present state, as edge_load does, so that whoever comes late with it changes nothing. Answers 1 when that has changed something, else 0.
local function followee_load(keys, args)
  local followees, settings, user = keys[1], keys[2], args[1]
  local at, r = tonumber(redis.call('ZSCORE', followees, user) or 0), read_registers(settings, user)
  local ended = math.max(r.u or 0, tonumber(args[3]))
  local since = join_times({at, tonumber(args[2])}, ended)
  put_time(followees, at, since, user)
  local follows = since > 0 and since or nil
  if ended == 0 or (r.u == ended and r.f == follows) then return since ~= at and 1 or 0 end
  r.u, r.f = ended, follows
  write_registers(settings, user, r)
  return 1
end

-- ---- settings to the topic graph, and back ----
--
-- The topic has two texts of each, as schemas/kafka.md says. They may be joined in any order and again.

-- Pairs on, off, first end: of the user's own acts; and where the act was another's.
local OWN_ACTS, OTHERS_ACTS = {{'m', 'n', 'v'}, {'b', 'c', 'd'}}, {{'B', 'C', 'D'}}
local RECORDED = {'m', 'n', 'v', 'b', 'c', 'd', 'p', 'e'}
local AS_OTHERS = {b = 'B', c = 'C', d = 'D'}

-- settings_state: KEYS settings; ARGV another user, when the edge from that one was ended last or 0 (only after a block; it is put into the settings first).
-- Answers {registers of this user's acts about the other, spans that were kept}; two empty texts when there is nothing.
local function settings_state(keys, args)
  local r, parts, ended = read_registers(keys[1], args[1]), {}, tonumber(args[2])
  if ended > (r.e or 0) then
    r.e = ended
    write_registers(keys[1], args[1], r)
  end
  for _, letter in ipairs(RECORDED) do
    if r[letter] then parts[#parts + 1] = letter .. string.format('%.0f', r[letter]) end
  end
  local kept = redis.call('HGET', keys[1], SPANS .. args[1]) or ''
  return {table.concat(parts, ' '), kept}
end

local function join_act(r, loaded, names)
  local on, off, first = names[1], names[2], names[3]
  local ends = {r[first] or false, loaded[first] or false, r[off] or false, loaded[off] or false}
  for _, letter in ipairs({on, off}) do
    if loaded[letter] then r[letter] = newest(r[letter], loaded[letter]) end
  end
  r[first] = nil
  for _, time in ipairs(ends) do
    if time and time > (r[on] or 0) and time < (r[first] or math.huge) then r[first] = time end
  end
end

-- Spans of both, without what was purged since.
local function join_spans(settings, user, kept, purged)
  local till_of, spans = {}, spans_of(settings, user)
  if #spans == 0 and kept == '' then return end
  for since, till in string.gmatch(kept, '(%d+) (%d+)') do spans[#spans + 1] = {since, till} end
  local joined = {}
  for _, span in ipairs(spans) do
    if tonumber(span[2]) > (purged or 0) then
      if not till_of[span[1]] then joined[#joined + 1] = span end
      if tonumber(span[2]) > tonumber(till_of[span[1]] or 0) then till_of[span[1]] = span[2] end
    end
  end
  for _, span in ipairs(joined) do span[2] = till_of[span[1]] end
  table.sort(joined, function(a, b) return tonumber(a[1]) < tonumber(b[1]) end)
  if #joined > 0 then write_spans(settings, user, joined) else redis.call('HDEL', settings, SPANS .. user) end
end

-- settings_load: KEYS settings; ARGV another user, the two texts of settings_state, and 'own'; or 'other', when the settings are those of whom it was
-- about. Joins it with what is there. Answers 1.
local function settings_load(keys, args)
  local settings, user, own = keys[1], args[1], args[4] == 'own'
  local r, loaded = read_registers(settings, user), {}
  for letter, time in pairs(parse_registers(args[2])) do loaded[own and letter or AS_OTHERS[letter] or ''] = time end
  for _, names in ipairs(own and OWN_ACTS or OTHERS_ACTS) do join_act(r, loaded, names) end
  if own then
    for _, letter in ipairs({'p', 'e'}) do
      if loaded[letter] then r[letter] = newest(r[letter], loaded[letter]) end
    end
    join_spans(settings, user, args[3], r.p)
  end
  if next(r) then write_registers(settings, user, r) end
  return 1
end

local VERB_RULES = 256 -- FEED_VERB_RULES_MAX

-- filter_state: KEYS settings. Answers {time of the newest list, 'verb since until ..'}: of each verb that was ever on one, since when it is left out and
-- until when (0: it is on the newest list), those that were let in last first. Two empty texts when there is no list.
local function filter_state(keys)
  local time = string.match(redis.call('HGET', keys[1], '#') or '', '^(%d+) ')
  if not time then return {'', ''} end
  local rules = {}
  for _, field in ipairs(redis.call('HKEYS', keys[1])) do
    local verb = string.match(field, '^#(.+)$')
    local r = verb and read_registers(keys[1], field)
    if r and r.x then rules[#rules + 1] = {verb, r.x, r.i or 0} end
  end
  local function rank(rule) return rule[3] == 0 and NEVER or rule[3] end
  table.sort(rules, function(a, b)
    if rank(a) ~= rank(b) then return rank(a) > rank(b) end
    return before(a[1], b[1])
  end)
  local words = {}
  for i = 1, math.min(#rules, VERB_RULES) do words[i] = string.format('%s %.0f %.0f', unpack(rules[i])) end
  return {time, table.concat(words, ' ')}
end

-- filter_load: KEYS settings; ARGV the two texts of filter_state. The newer list holds, as in filter. Answers 1, or 0 when that was there.
local function filter_load(keys, args)
  local settings, time, words = keys[1], tonumber(args[1]), {}
  for verb, ended in string.gmatch(args[2], '(%S+) %d+ (%d+)') do
    if ended == '0' then words[#words + 1] = verb end
  end
  table.sort(words, before)
  local list = table.concat(words, ' ')
  local old_time, old_list = string.match(redis.call('HGET', settings, '#') or '', '^(%d+) (.*)$')
  if old_time and (tonumber(old_time) > time or (tonumber(old_time) == time and not before(old_list, list))) then return 0 end
  for verb, since, ended in string.gmatch(args[2], '(%S+) (%d+) (%d+)') do
    write_registers(settings, '#' .. verb, {x = tonumber(since), i = ended ~= '0' and tonumber(ended) or nil})
  end
  redis.call('HSET', settings, '#', string.format('%.0f ', time) .. list)
  return 1
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

-- life_end: KEYS life; ARGV the life that is over, because a shard has lost everything. Answers 1, or 0 when it is another one.
local function life_end(keys, args)
  if redis.call('GET', keys[1]) ~= args[1] then return 0 end
  return redis.call('DEL', keys[1])
end

-- ---- erasing a user ----
--
-- Who was erased, and until when, stands in one hash under a hash of the name; the field '#' is its version, which rises with each change. Every
-- worker has it in memory, and forgets what comes again of those users. `x:{feedwire}/workers` says of each worker with which version all that it
-- has in hand was looked at: when that is so for all of them, nothing of a user is written any more, and what is there can be taken out.

-- purge: KEYS purges; ARGV (16 bytes, until ms) once or more. Answers the version.
local function purge(keys, args)
  local key, changed = keys[1], false
  for i = 1, #args, 2 do
    if tonumber(redis.call('HGET', key, args[i]) or 0) < tonumber(args[i + 1]) then
      redis.call('HSET', key, args[i], args[i + 1])
      changed = true
    end
  end
  local version = tonumber(redis.call('HGET', key, '#') or 0)
  if changed then
    version = math.max(version + 1, now_ms())
    redis.call('HSET', key, '#', string.format('%.0f', version))
  end
  return version
end

-- purges: KEYS purges, workers; ARGV worker, the version with which all that it has in hand was looked at, the version that it knows, after how many
-- ms without this call a worker is gone. Answers {version, the least one of all workers, (16 bytes, until ms) ..}; without the list when it is known.
local function purges(keys, args)
  local key, workers, now = keys[1], keys[2], now_ms()
  redis.call('HSET', workers, args[1], args[2] .. ' ' .. string.format('%.0f', now))
  local found, least = redis.call('HGETALL', workers), math.huge
  for i = 1, #found, 2 do
    local version, at = string.match(found[i + 1], '^(%d+) (%d+)$')
    if not at or now - tonumber(at) > tonumber(args[4]) then
      redis.call('HDEL', workers, found[i])
    elseif tonumber(version) < least then
      least = tonumber(version)
    end
  end
  local version = redis.call('HGET', key, '#') or '1'
  local answer = {version, string.format('%.0f', least)}
  if version == args[3] then return answer end
  found = redis.call('HGETALL', key)
  for i = 1, #found, 2 do
    if found[i] ~= '#' then answer[#answer + 1], answer[#answer + 2] = found[i], found[i + 1] end
  end
  return answer
end

-- Where a msgpack value that begins at `at` ends: its next byte. Of the forms that an entry has.
local function value_end(bytes, at)
  local head = string.byte(bytes, at)
  if head == 0xc0 then return at + 1 end
  if head == 0xda then return at + 3 + string.byte(bytes, at + 1) * 256 + string.byte(bytes, at + 2) end
  local _, next_at = text_at(bytes, at)
  return next_at > at and next_at or #bytes + 1
end

-- A str of msgpack, also one of two bytes of length; '' for anything else.
local function any_text_at(bytes, at)
  if string.byte(bytes, at) == 0xda then return string.sub(bytes, at + 3, value_end(bytes, at) - 1) end
  return (text_at(bytes, at))
end

-- Actor, object type and id, target type and id, owner of an entry.
local function names_in(entry)
  local fields, at = {}, value_end(entry, 18) -- behind the id, the head of the array and the verb
  for i = 1, 6 do
    if at > #entry then break end
    fields[i] = any_text_at(entry, at)
    at = value_end(entry, at)
  end
  return fields
end

local function is_erased(erased, name, time)
  local last = name and erased[name]
  return last and time <= last
end

local function names_erased(erased, entry, time)
  local fields = names_in(entry)
  return is_erased(erased, fields[1], time) or is_erased(erased, fields[6], time) or
    (fields[2] == 'user' and is_erased(erased, fields[3], time)) or (fields[4] == 'user' and is_erased(erased, fields[5], time))
end

-- The member of an outbox without those of `to` who are erased; nil when there are none.
local function without_recipients(erased, entry, time)
  if string.byte(entry, 17) ~= 0x99 then return nil end
  local ok, values = pcall(cmsgpack.unpack, string.sub(entry, 17))
  local to = ok and values[9]
  if type(to) ~= 'table' then return nil end
  local kept, bytes = 0, ''
  for _, name in ipairs(to) do
    if not is_erased(erased, name, time) then kept, bytes = kept + 1, bytes .. cmsgpack.pack(name) end
  end
  if kept == #to then return nil end
  -- The list is the last element: what is before it stays, byte for byte.
  local whole = ''
  for _, name in ipairs(to) do whole = whole .. cmsgpack.pack(name) end
  local head = #to < 16 and 1 or 3
  local before_list = string.sub(entry, 1, #entry - #whole - head)
  if kept > 0 then
    return before_list .. (kept < 16 and string.char(0x90 + kept) or '\220' .. string.char(math.floor(kept / 256), kept % 256)) .. bytes
  end
  local count = 8
  while string.byte(before_list, #before_list) == 0xc0 and count > 4 and values[count] == nil do
    before_list, count = string.sub(before_list, 1, -2), count - 1
  end
  return string.sub(before_list, 1, 16) .. string.char(0x90 + count) .. string.sub(before_list, 18)
end

local function mentions(erased, member)
  for name in pairs(erased) do
    if string.find(member, name, 1, true) then return true end
  end
  return false
end

-- A timeline: of an erased user everything, of others what names one. Without marks: who was erased is known to all who write.
local function erase_timeline(key, erased, own_until, cap)
  local epoch, seq, reserved = state_of(key)
  local members = redis.call('ZCARD', key) - (reserved and 1 or 0)
  if not own_until and members > cap then redis.call('ZREMRANGEBYRANK', key, reserved and 1 or 0, members - cap - (reserved and 0 or 1)) end
  local found, count, left, was = redis.call('ZRANGE', key, reserved and 1 or 0, -1, 'WITHSCORES'), 0, 0, seq
  for i = 1, #found, 2 do
    local member, score = found[i], found[i + 1]
    local time = tonumber(score)
    local mark = is_mark(member)
    local own = own_until and time <= own_until
    local shorter
    if own or (not mark and mentions(erased, member)) then
      if not own then shorter = string.sub(key, 1, 1) == 'o' and without_recipients(erased, member, time) or nil end
      if own or names_erased(erased, member, time) then
        redis.call('ZREM', key, member)
        count = count + 1
        if reserved and not mark then
          if seq == was then epoch, reserved = renew(key, reserved) end
          seq = seq + 1
          announce_removal(key, epoch, seq, score, string.sub(member, 1, 16))
        end
      elseif shorter then
        redis.call('ZREM', key, member)
        redis.call('ZADD', key, score, shorter)
        count, left = count + 1, left + 1
      else
        left = left + 1
      end
    else
      left = left + 1
    end
  end
  if seq > was then redis.call('ZADD', key, string.format('%d', -seq), reserved) end
  if own_until and left == 0 then return count + redis.call('DEL', key) end
  return count
end

local function erase_scores(key, own_until)
  return redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', own_until))
end

local function erase_members(key, erased)
  local count = 0
  for name, last in pairs(erased) do
    local at = redis.call('ZSCORE', key, name)
    if at and tonumber(at) <= last then count = count + redis.call('ZREM', key, name) end
  end
  return count
end

local function erase_fields(key, erased)
  local count = 0
  for name in pairs(erased) do count = count + redis.call('HDEL', key, name, SPANS .. name) end
  return count
end

-- A page of followers: KEYS g:, k:, l:, q:.
local function erase_page(keys, erased, own_until)
  local count = 0
  for i = 1, 3 do
    count = count + (own_until and erase_scores(keys[i], own_until) or erase_members(keys[i], erased))
  end
  if own_until and redis.call('EXISTS', keys[1], keys[2], keys[3]) == 0 then count = count + redis.call('DEL', keys[4]) end
  return count
end

-- erase: KEYS a key of schemas/redis.md that belongs to a user; with g:, k:, l: or q: the four of the page; of b: also the home feed. ARGV cap, until ms when
-- the key is one of an erased user's own, else '', then (user, until ms) once or more: of the same tenant. Takes out what is theirs and what names
-- them, if it is not younger. Answers how much that was; the same again answers 0.
local function erase(keys, args)
  local key, cap, own_until, erased = keys[1], tonumber(args[1]), tonumber(args[2]), {}
  local letter = string.sub(key, 1, 1)
  for i = 3, #args, 2 do erased[args[i]] = tonumber(args[i + 1]) end
  if letter == 'f' or letter == 'n' or letter == 'o' then return erase_timeline(key, erased, own_until, cap) end
  if letter == 'g' then return erase_page(keys, erased, own_until) end
  if letter == 'h' then return own_until and erase_scores(key, own_until) or erase_members(key, erased) end
  if letter == 'b' then
    if own_until then return erase_scores(key, own_until) end
    local count = erase_members(key, erased)
    if count > 0 then announce_sources(keys[2]) end
    return count
  end
  if own_until then return redis.call('DEL', key) end
  if letter == 'm' or letter == 'c' then return erase_fields(key, erased) end
  return 0
end

redis.register_function('feedwire_v1_add', add)
redis.register_function('feedwire_v1_post', post)
redis.register_function('feedwire_v1_backfill', backfill)
redis.register_function('feedwire_v1_remove', remove)
redis.register_function('feedwire_v1_follow', follow)
redis.register_function('feedwire_v1_unfollow', unfollow)
redis.register_function('feedwire_v1_sever', sever)
redis.register_function('feedwire_v1_join', join)
redis.register_function('feedwire_v1_leave', leave)
redis.register_function('feedwire_v1_cross', cross)
redis.register_function('feedwire_v1_cross_end', cross_end)
redis.register_function('feedwire_v1_source', source)
redis.register_function('feedwire_v1_copy', copy)
redis.register_function('feedwire_v1_settle', settle)
redis.register_function('feedwire_v1_filter', filter)
redis.register_function('feedwire_v1_page_fill', page_fill)
redis.register_function('feedwire_v1_page_split', page_split)
redis.register_function('feedwire_v1_page_take', page_take)
redis.register_function('feedwire_v1_page_join', page_join)
redis.register_function('feedwire_v1_progress', progress)
redis.register_function('feedwire_v1_partitions', partitions)
redis.register_function('feedwire_v1_wake', wake)
redis.register_function('feedwire_v1_awake', awake)
redis.register_function('feedwire_v1_fill', fill)
redis.register_function('feedwire_v1_edge_load', edge_load)
redis.register_function('feedwire_v1_purge', purge)
redis.register_function('feedwire_v1_purges', purges)
redis.register_function('feedwire_v1_erase', erase)
redis.register_function('feedwire_v1_followee_load', followee_load)
redis.register_function('feedwire_v1_settings_load', settings_load)
redis.register_function('feedwire_v1_settings_state', settings_state)
redis.register_function('feedwire_v1_filter_load', filter_load)
redis.register_function('feedwire_v1_life', life)
redis.register_function('feedwire_v1_life_begin', life_begin)
redis.register_function('feedwire_v1_life_end', life_end)
redis.register_function{function_name='feedwire_v1_edge', callback=edge, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_filter_state', callback=filter_state, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_window', callback=window, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_source_since', callback=source_since, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_follower_count', callback=follower_count, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_outbox', callback=outbox, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_since', callback=since, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_sources', callback=sources, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_part', callback=part, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_find', callback=find, flags={'no-writes'}}
redis.register_function{function_name='feedwire_v1_followers', callback=followers, flags={'no-writes'}}
