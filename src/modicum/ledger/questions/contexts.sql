-- The context of each of the gateway's conversations as its newest call left it, a row a segment: those that no later
-- call dropped. Of conversations with a call since $since the $most newest, the newest last.
SELECT
    calls.conversation AS conversation,
    calls.key_name AS key_name,
    calls.turn AS turn,
    segments.position AS position,
    segments.kind AS kind,
    segments.tool AS tool,
    segments.tokens AS tokens,
    segments.digest AS digest,
    segments.detail AS detail,
    segments.is_error AS is_error,
    segments.basis AS basis
FROM (
    SELECT
        entry_id,
        conversation,
        max(key_name) OVER (PARTITION BY conversation) AS key_name,
        max(turn) OVER (PARTITION BY conversation) AS turn,
        max(started) OVER (PARTITION BY conversation) AS newest,
        min(kept_segments) OVER (
            PARTITION BY conversation ORDER BY turn, started, entry_id
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
        ) AS kept_later
    FROM entries
    WHERE source = 'gateway' AND kept_segments IS NOT NULL AND conversation IN (
        SELECT conversation FROM entries
        WHERE source = 'gateway' AND started >= $since AND conversation <> '' AND kept_segments IS NOT NULL
        GROUP BY conversation ORDER BY max(started) DESC, conversation LIMIT $most
    )
) AS calls
JOIN segments ON segments.entry_id = calls.entry_id
WHERE calls.kept_later IS NULL OR segments.position < calls.kept_later
ORDER BY calls.newest, conversation, position
