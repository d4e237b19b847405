-- Tool results of one task ($task) that came three times or more with the same content to the same call of a tool: the
-- sign of an agent that goes in circles. $most: the most rows.
SELECT
    parts.tool AS tool,
    parts.digest AS digest,
    count(*) AS times,
    sum(parts.tokens) AS tokens,
    min(calls.started) AS first_started,
    max(calls.started) AS last_started
FROM segments AS parts
JOIN entries AS calls ON calls.entry_id = parts.entry_id
WHERE calls.task = $task AND parts.kind = 'tool_result' AND parts.detail <> ''
GROUP BY parts.tool, parts.detail, parts.digest
HAVING count(*) >= 3
ORDER BY times DESC, sum(parts.tokens) DESC, tool, digest
LIMIT $most
