-- A ledger of agents at work, made where it lies: $calls calls in conversations of 40, five new segments a call, so that
-- the contexts hold 100 times as many segments as there are calls. One call in 25 comes after a pause of 20 minutes,
-- tool results repeat now and then, some fail. Numbers come from hashes: the same ledger every time.
CREATE TEMP TABLE parts AS
SELECT
    i,
    k,
    CASE k WHEN 0 THEN CASE WHEN i % 40 = 0 THEN 'prefix' ELSE 'reasoning' END
        WHEN 1 THEN 'assistant' WHEN 2 THEN 'tool_call' WHEN 3 THEN 'tool_result' ELSE 'user' END AS kind,
    CASE WHEN k IN (2, 3) THEN ['Read', 'Bash', 'Grep', 'Edit'][CAST(1 + hash(i, 'tool') % 4 AS BIGINT)] ELSE '' END AS tool,
    CAST(CASE
        WHEN k = 0 AND i % 40 = 0 THEN 15000
        WHEN k = 3 THEN exp(3 + hash(i, 'size') % 6000 / 1000.0)
        ELSE 20 + hash(i, k) % 100
    END AS BIGINT) AS tokens,
    CASE WHEN k = 3 AND hash(i, 'same') % 50 = 0 THEN i - i % 40 ELSE i END AS text
FROM range($calls) AS calls(i), range(5) AS places(k);

INSERT INTO segments BY NAME
SELECT
    'c' || i AS entry_id,
    5 * (i % 40) + k AS position,
    CAST(sum(tokens) OVER (PARTITION BY i // 40 ORDER BY i, k) AS BIGINT) - tokens AS offset_tokens,
    kind,
    tool,
    tokens,
    md5(kind || text || '.' || k) AS digest,
    CASE WHEN k IN (2, 3) THEN md5('detail' || text) ELSE '' END AS detail,
    k = 3 AND hash(i, 'failed') % 25 = 0 AS is_error,
    'estimated' AS basis
FROM parts;

CREATE TEMP TABLE sized AS
SELECT
    i,
    hash(i, 'pause') % 25 = 0 AND i % 40 > 0 AS pauses,
    CAST(sum(sum(tokens)) OVER (PARTITION BY i // 40 ORDER BY i) AS BIGINT) AS prompt,
    CAST(20 + hash(i, 'out') % 800 AS BIGINT) AS output
FROM parts
GROUP BY i;

INSERT INTO entries BY NAME
SELECT
    'c' || i AS entry_id,
    1 AS revision,
    TIMESTAMP '2026-02-01' AS booked_at,
    'synthetic' AS source,
    'anthropic' AS provider,
    'claude-opus-4-5' AS model,
    begun AS started,
    begun + INTERVAL 5 SECOND AS finished,
    'ok' AS status,
    'end_turn' AS finish_reason,
    0 AS input_uncached,
    read AS cache_read,
    prompt - read AS cache_write_5m,
    0 AS cache_write_1h,
    output AS output_visible,
    0 AS output_reasoning,
    'exact' AS usage_basis,
    'exact' AS output_basis,
    'standard' AS tier,
    0 AS web_searches,
    1 AS calls_count,
    (read * 0.5 + (prompt - read) * 6.25 + output * 25) / 1000000 AS cost_usd,
    0 AS cost_input_uncached_usd,
    read * 0.5 / 1000000 AS cost_cache_read_usd,
    (prompt - read) * 6.25 / 1000000 AS cost_cache_write_5m_usd,
    0 AS cost_cache_write_1h_usd,
    output * 25.0 / 1000000 AS cost_output_visible_usd,
    0 AS cost_output_reasoning_usd,
    0 AS cost_requests_usd,
    'exact' AS cost_basis,
    'genai-prices' AS price_source,
    '0' AS price_version,
    'task-' || i // 40 AS task,
    'task-' || i // 40 AS conversation,
    i % 40 AS turn,
    '' AS agent,
    'project-' || i // 40 % 300 AS project,
    '' AS branch,
    'team-' || i // 40 % 12 AS team,
    '' AS app,
    '' AS user_name,
    '' AS key_name,
    '{}' AS tags,
    '' AS place,
    5 * (i % 40) AS kept_segments,
    '' AS break_cause
FROM (
    SELECT
        *,
        TIMESTAMP '2026-02-01' + to_seconds(
            i // 40 * 60 + sum(CASE WHEN pauses THEN 1200 ELSE 20 END) OVER (PARTITION BY i // 40 ORDER BY i)
        ) AS begun,
        CASE WHEN pauses OR i % 40 = 0 THEN 0 ELSE lag(prompt) OVER (ORDER BY i) END AS read
    FROM sized
) AS timed;
