-- Calls since $since of conversations in which a tool gave the same result to the same arguments $times times or more,
-- in order, a row for each tool result that a call brought (tool NULL: it brought none). Of $most conversations. Names
-- are those of one dimension ($by, $tag, $zone).
SELECT
    dimension(
        $by, $tag, $zone, calls.model, calls.source, calls.provider, calls.project, calls.branch, calls.task,
        calls.agent, calls.team, calls.app, calls.user_name, calls.key_name, calls.tier, calls.status, calls.place,
        calls.tags, calls.started
    ) AS name,
    calls.entry_id AS entry_id,
    calls.conversation AS conversation,
    calls.task AS task,
    calls.started AS started,
    calls.finished AS finished,
    calls.cost_usd AS cost_usd,
    parts.tool AS tool,
    parts.detail AS detail,
    parts.digest AS digest
FROM entries AS calls
LEFT JOIN (
    SELECT entry_id, position, tool, digest_code(detail) AS detail, digest_code(digest) AS digest
    FROM segments
    WHERE kind = 'tool_result' AND detail <> ''
) AS parts ON parts.entry_id = calls.entry_id
WHERE calls.started >= $since AND calls.conversation IN (
    SELECT conversation
    FROM (
        SELECT seen.conversation AS conversation, max(seen.started) AS newest, count(*) AS times
        FROM segments AS repeated
        JOIN entries AS seen ON seen.entry_id = repeated.entry_id
        WHERE seen.started >= $since AND seen.conversation <> ''
            AND repeated.kind = 'tool_result' AND repeated.detail <> ''
        GROUP BY seen.conversation, repeated.tool, repeated.detail, repeated.digest
        HAVING count(*) >= $times
    ) AS circling
    GROUP BY conversation
    ORDER BY max(newest) DESC, conversation
    LIMIT $most
)
ORDER BY conversation, calls.turn, started, entry_id, parts.position
