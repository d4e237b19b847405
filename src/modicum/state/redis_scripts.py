"""What the server of shared counters does at once: scripts in its own language (Lua).

A script first looks whether the counters are still those that its caller means (`generation`), and reads all that it
needs before it writes, so that data of somebody else stops it before anything was changed. Sums are added up by the
server in whole numbers of 64 bits and handed out as text: Lua's own numbers are exact to 2^53 only. How counters stand
is one text: of a list, the client reads each element for itself.
"""

LOST, FOREIGN = "LOST", "FOREIGN"
"""How errors of ours begin."""

_BEGIN = """
local marker = KEYS[1]
local function fail(text) error({err = text}) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kind = redis.call('TYPE', marker)['ok']
if kind ~= 'hash' and kind ~= 'none' then fail('FOREIGN ' .. marker .. ' is a ' .. kind) end
local former = kind == 'hash' and redis.call('HGET', marker, 'format')
if kind == 'hash' and former ~= '1' then fail('FOREIGN ' .. marker .. ' is not of this program or version') end
"""

_AWAITED = """
-- Whom a new generation waits for, as lives of processes with the moment at which that ends: 'waits' until they have
-- reserved again what their calls hold, 'loads' until they have added what their ledgers know. 'joined': who came.
local function awaited(base, which)
  return redis.call('ZCOUNT', base .. which, '(' .. now, '+inf')
end
local function is_complete(base)
  local ready = tonumber(redis.call('HGET', marker, 'ready'))
  return ready <= now and awaited(base, 'waits') == 0 and awaited(base, 'loads') == 0
end
"""

OPEN = (
    _BEGIN
    + _AWAITED
    + """
-- ARGV: the server's run, which is another one after every start of it; a name for a new generation; how long it
-- waits for processes that nobody knows; how names of this process's lives begin; this one's name; the generation in
-- which it counted before; the lives that it knew there; how long each is waited for; the shortest wait
local mine, me, lease = ARGV[4], ARGV[5], tonumber(ARGV[8])
local peers, alive, anew = cmsgpack.unpack(ARGV[7]), {}, false
local function is_mine(life) return string.sub(life, 1, #mine) == mine end
local generation = former and redis.call('HGET', marker, 'generation')
local base = former and marker .. ':' .. generation .. ':'
local is_lost = not former or redis.call('HGET', marker, 'run') ~= ARGV[1]
local has_joined = former and redis.call('SISMEMBER', base .. 'joined', me) == 1
if former then
  alive = redis.call('ZRANGE', base .. 'alive', 0, -1, 'WITHSCORES')
  for i = 1, #alive, 2 do  -- what an earlier life of this process held is on record
    if alive[i] ~= me and is_mine(alive[i]) and redis.call('HLEN', base .. 'h:' .. alive[i]) > 0 then anew = true end
  end
  for _, which in ipairs({'waits', 'loads'}) do  -- it was waited for, and comes too late
    for _, life in ipairs(redis.call('ZRANGEBYSCORE', base .. which, '-inf', now)) do
      if is_mine(life) then anew = true end
    end
  end
  if ARGV[6] ~= '' and ARGV[6] ~= generation and not has_joined and is_complete(base) then anew = true end
end
if is_lost or anew then
  generation = ARGV[2]
  base = marker .. ':' .. generation .. ':'
  local grace = tonumber(ARGV[3])
  if not is_lost then grace = 0 elseif ARGV[6] ~= '' then grace = math.min(grace, tonumber(ARGV[9])) end
  redis.call('DEL', marker)
  redis.call('HSET', marker, 'format', '1', 'run', ARGV[1], 'generation', generation, 'ready', now + grace)
  for i = 1, #alive, 2 do
    if not is_mine(alive[i]) then
      local ends = is_lost and now + lease or tonumber(alive[i + 1])
      redis.call('ZADD', base .. 'waits', ends, alive[i])
      redis.call('ZADD', base .. 'loads', ends, alive[i])
    end
  end
  has_joined = false
end
if not has_joined and not is_complete(base) or is_lost or anew then
  local names = {}
  local function name_of(life) return string.match(life, '^(.*/)') or life end
  for _, life in ipairs(redis.call('SMEMBERS', base .. 'joined')) do names[name_of(life)] = life end
  names[mine] = me
  for _, which in ipairs({'waits', 'loads'}) do
    for _, life in ipairs(redis.call('ZRANGE', base .. which, 0, -1)) do
      if is_mine(life) then redis.call('ZREM', base .. which, life) end
    end
    redis.call('ZADD', base .. which, now + lease, me)
    for _, life in ipairs(peers) do
      if not names[name_of(life)] and ARGV[6] ~= generation then
        redis.call('ZADD', base .. which, 'NX', now + lease, life)
      end
    end
  end
end
redis.call('SADD', base .. 'joined', me)
redis.call('ZADD', base .. 'alive', now + lease, me)
return generation
"""
)

_COUNTERS = (
    _BEGIN
    + """
local generation = ARGV[1]
if redis.call('HGET', marker, 'generation') ~= generation then fail('LOST') end
local base = marker .. ':' .. generation .. ':'
local SLOTS, MOST_EXACT = 60, 9007199254740992

local function whole(text, where)
  if not text then return '0' end
  if not string.match(text, '^%-?%d+$') then fail('FOREIGN ' .. where .. ' holds no number') end
  return text
end
local function minus(text)
  if text == '0' then return '0' end
  if string.sub(text, 1, 1) == '-' then return string.sub(text, 2) end
  return '-' .. text
end
local function keep(key, kept)
  if kept >= 0 then redis.call('PEXPIRE', key, kept) end
end
-- a line: counter, amount, limit or '', ms that it slides, ms that it is kept or -1
local function forget(line)
  local key = base .. 'c:' .. line[1]
  local frees = redis.call('HGET', key, 'f')
  if not frees or tonumber(frees) > now then return end
  local slots, slot, oldest = base .. 't:' .. line[1], line[4] / SLOTS, nil
  local every = redis.call('HGETALL', slots)
  for i = 1, #every, 2 do
    local number = tonumber(every[i])
    if (number + 1 + SLOTS) * slot <= now then
      redis.call('HINCRBY', key, 's', minus(every[i + 1]))
      redis.call('HDEL', slots, every[i])
    elseif not oldest or number < oldest then
      oldest = number
    end
  end
  if oldest then redis.call('HSET', key, 'f', math.ceil((oldest + 1 + SLOTS) * slot))
  else redis.call('HDEL', key, 'f') end
end
local function spend(line, amount, at)
  local key, slots = base .. 'c:' .. line[1], base .. 't:' .. line[1]
  if line[4] > 0 then
    local slot = line[4] / SLOTS
    local number = math.floor(at / slot)
    local frees = math.ceil((number + 1 + SLOTS) * slot)
    if frees <= now then return end
    redis.call('HINCRBY', slots, number, amount)
    keep(slots, line[5])
    local first = redis.call('HGET', key, 'f')
    if not first or frees < tonumber(first) then redis.call('HSET', key, 'f', frees) end
  end
  redis.call('HINCRBY', key, 's', amount)
  keep(key, line[5])
end
local function level(line, levels)
  local key = base .. 'c:' .. line[1]
  local has = redis.call('HMGET', key, 's', 'r', 'f')
  local frees = has[3] and math.max(tonumber(has[3]) - now, 0) or -1
  levels[#levels + 1] = whole(has[1], key)
  levels[#levels + 1] = whole(has[2], key)
  levels[#levels + 1] = frees
end
local function unhold(line, held)
  local key = base .. 'c:' .. line[1]
  if redis.call('HINCRBY', key, 'r', minus(held)) < 0 then redis.call('HSET', key, 'r', '0') end
end
local function fits(line, spent, reserved)
  if line[3] == '' then return true end
  local total = spent + reserved + line[2]
  if total < MOST_EXACT and tonumber(line[3]) < MOST_EXACT then return total <= tonumber(line[3]) end
  local left = base .. 'left'
  redis.call('SET', left, line[3])
  redis.call('DECRBY', left, spent)
  redis.call('DECRBY', left, reserved)
  local rest = redis.call('DECRBY', left, line[2])
  redis.call('DEL', left)
  return rest >= 0
end
"""
)

RESERVE = (
    _COUNTERS
    + """
-- ARGV: generation, process, call, lines
local lines, levels = cmsgpack.unpack(ARGV[4]), {}
local holds = base .. 'h:' .. ARGV[2]
local former = redis.call('HGET', holds, ARGV[3])
for _, line in ipairs(lines) do level(line, {}) end
if former then
  former = cmsgpack.unpack(former)
  for _, line in ipairs(former) do unhold(line, line[2]) end
end
local admitted = 1
for i, line in ipairs(lines) do
  forget(line)
  level(line, levels)
  if not fits(line, levels[3 * i - 2], levels[3 * i - 1]) then admitted = 0 end
end
local held = admitted == 1 and lines or former
if held then
  for _, line in ipairs(held) do
    redis.call('HINCRBY', base .. 'c:' .. line[1], 'r', line[2])
    keep(base .. 'c:' .. line[1], line[5])
  end
end
if admitted == 1 then redis.call('HSET', holds, ARGV[3], ARGV[4]) end
return admitted .. ' ' .. table.concat(levels, ' ')
"""
)

SETTLE = (
    _COUNTERS
    + """
-- ARGV: generation, process, call, amounts
local amounts, levels = cmsgpack.unpack(ARGV[4]), {}
local holds, ended = base .. 'h:' .. ARGV[2], base .. 'ended'
local held = redis.call('HGET', holds, ARGV[3])
local lapsed = not held and redis.call('HGET', ended, ARGV[3])
if not held and not lapsed then return '' end
for i, line in ipairs(cmsgpack.unpack(held or lapsed)) do
  if held then unhold(line, line[2]) else spend(line, minus(line[2]), now) end
  if amounts[i] then spend(line, amounts[i], now) end
  forget(line)
  level(line, levels)
end
redis.call('HDEL', held and holds or ended, ARGV[3])
return table.concat(levels, ' ')
"""
)

LEVELS = (
    _COUNTERS
    + """
local lines, levels = cmsgpack.unpack(ARGV[2]), {}
for _, line in ipairs(lines) do
  level(line, {})
  forget(line)
  level(line, levels)
end
return table.concat(levels, ' ')
"""
)

ADD = (
    _COUNTERS
    + """
-- ARGV: generation, a name under which this is counted once, lines, their ages in ms, how long the name is kept
local lines, ages = cmsgpack.unpack(ARGV[3]), cmsgpack.unpack(ARGV[4])
if redis.call('EXISTS', base .. 'a:' .. ARGV[2]) == 1 then return 0 end
for _, line in ipairs(lines) do level(line, {}) end
redis.call('SET', base .. 'a:' .. ARGV[2], '1')
keep(base .. 'a:' .. ARGV[2], tonumber(ARGV[5]))
for i, line in ipairs(lines) do
  spend(line, line[2], now - ages[i])
  forget(line)
end
return 1
"""
)

SINCE = (
    _COUNTERS
    + """
-- ARGV: generation, names that are counted, names that are given up, with since when they were
local names, gone, since = cmsgpack.unpack(ARGV[2]), cmsgpack.unpack(ARGV[3]), {}
for _, one in ipairs(gone) do
  if redis.call('HGET', base .. 'since', one[1]) == one[2] then redis.call('HDEL', base .. 'since', one[1]) end
end
for i, name in ipairs(names) do
  redis.call('HSETNX', base .. 'since', name, now)
  since[i] = redis.call('HGET', base .. 'since', name)
end
return since
"""
)

AWAIT = (
    _COUNTERS
    + _AWAITED
    + """
-- ARGV: generation, process, what it has done: 'waits' or 'loads', or '' for nothing; for which of them it waits.
-- How many ms at least are to wait, and for how many processes.
if ARGV[3] ~= '' then redis.call('ZREM', base .. ARGV[3], ARGV[2]) end
local ready = tonumber(redis.call('HGET', marker, 'ready'))
return {math.max(ready - now, 0), awaited(base, ARGV[4])}
"""
)

LEAVE = (
    _COUNTERS
    + """
-- ARGV: generation, process: nobody waits for it any more, unless it holds something
if redis.call('HLEN', base .. 'h:' .. ARGV[2]) > 0 then return 0 end
for _, which in ipairs({'alive', 'waits', 'loads'}) do redis.call('ZREM', base .. which, ARGV[2]) end
return 1
"""
)

BEAT = (
    _COUNTERS
    + """
-- ARGV: generation, process, how long it lives on without another sign; what ended processes held counts as spent.
-- Who lives, and who is still waited for: a server that loses its data once more knows neither.
redis.call('ZADD', base .. 'alive', now + ARGV[3], ARGV[2])
for _, process in ipairs(redis.call('ZRANGEBYSCORE', base .. 'alive', '-inf', now)) do
  local holds = base .. 'h:' .. process
  local every = redis.call('HGETALL', holds)
  for i = 1, #every, 2 do
    for _, line in ipairs(cmsgpack.unpack(every[i + 1])) do
      unhold(line, line[2])
      spend(line, line[2], now)
    end
    redis.call('HSET', base .. 'ended', every[i], every[i + 1])
  end
  redis.call('DEL', holds)
  redis.call('ZREM', base .. 'alive', process)
end
local peers = redis.call('ZRANGE', base .. 'alive', 0, -1)
for _, which in ipairs({'waits', 'loads'}) do
  for _, life in ipairs(redis.call('ZRANGEBYSCORE', base .. which, '(' .. now, '+inf')) do peers[#peers + 1] = life end
end
return peers
"""
)

CHANGE = (
    _BEGIN
    + """
-- ARGV: name, what the caller takes its value to be, what it is to be then, how many ms it is kept. Whether it was
-- changed, what it is, and the server's time in ms. It does not go with the counters.
local key = marker .. ':v:' .. ARGV[1]
local value = redis.call('GET', key) or ''
if value ~= ARGV[2] then return {0, value, now} end
redis.call('SET', key, ARGV[3], 'PX', ARGV[4])
return {1, ARGV[3], now}
"""
)

RECORDS = (
    _BEGIN
    + """
-- ARGV: kind, names and texts to add, how many the caller knows to be there. How many are there, and all of them unless
-- it knows as many.
local key = marker .. ':records:' .. ARGV[1]
local given = cmsgpack.unpack(ARGV[2])
for i = 1, #given, 2 do redis.call('HSETNX', key, given[i], given[i + 1]) end
local count = redis.call('HLEN', key)
if count == tonumber(ARGV[3]) then return {count, {}} end
return {count, redis.call('HGETALL', key)}
"""
)
