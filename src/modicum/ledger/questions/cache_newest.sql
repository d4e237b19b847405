-- The newest calls of each conversation that used a prompt cache since then, a few of each: what they read and wrote.
SELECT
    conversation,
    task,
    agent,
    provider,
    model,
    tier,
    region,
    started,
    finished,
    input_uncached,
    cache_read,
    cache_write_5m,
    cache_write_1h
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY conversation, model ORDER BY started DESC, entry_id) AS nth
    FROM entries
    WHERE started >= $since AND conversation <> '' AND status = 'ok' AND calls_count = 1
        AND cache_read + cache_write_5m + cache_write_1h > 0
) AS newest
WHERE nth <= 8
ORDER BY started, conversation
