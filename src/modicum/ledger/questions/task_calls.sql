-- The calls of one task ($task) in the order in which they began, $most of them at most.
SELECT
    entry_id,
    conversation,
    turn,
    started,
    finished,
    model,
    agent,
    status,
    finish_reason,
    place,
    break_cause,
    cache_miss,
    calls_count,
    uncached_tokens + cache_read_tokens + cache_write_tokens AS prompt_tokens,
    cache_read_tokens,
    cache_write_tokens,
    completion_tokens,
    cost_usd,
    cost_basis
FROM entries
WHERE task = $task
ORDER BY started, turn, entry_id
LIMIT $most
