-- A ledger of a year, made where it lies: $calls calls of 60 to a task, by 40 teams, 400 keys and 6 models. Numbers come
-- from hashes: the same ledger every time. In order of time, as gateways book.
INSERT INTO entries BY NAME
SELECT
    *,
    input_uncached AS uncached_tokens,
    cache_read AS cache_read_tokens,
    cache_write_5m AS cache_write_tokens,
    output_visible AS completion_tokens,
    CASE WHEN cost_basis = 'exact' THEN
        cost_input_uncached_usd + cost_cache_read_usd + cost_cache_write_5m_usd + cost_output_visible_usd END AS cost_usd,
    CAST(input_uncached + cache_read * 0.1 + cache_write_5m * 1.25 + output_visible * 5 AS DOUBLE) AS effective_tokens
FROM (
    SELECT
        *,
        CASE WHEN cost_basis = 'exact' THEN input_uncached * 0.000005 END AS cost_input_uncached_usd,
        CASE WHEN cost_basis = 'exact' THEN cache_read * 0.0000005 END AS cost_cache_read_usd,
        CASE WHEN cost_basis = 'exact' THEN cache_write_5m * 0.00000625 END AS cost_cache_write_5m_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_cache_write_1h_usd,
        CASE WHEN cost_basis = 'exact' THEN output_visible * 0.000025 END AS cost_output_visible_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_output_reasoning_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_requests_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_input_audio_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_input_image_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_input_video_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_cache_read_audio_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_cache_read_image_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_cache_write_30m_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_cache_write_12h_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_output_audio_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_output_image_usd,
        CASE WHEN cost_basis = 'exact' THEN 0 END AS cost_output_video_usd
    FROM (
        SELECT
            'c' || i AS entry_id,
            1 AS revision,
            TIMESTAMP '2026-01-01' AS booked_at,
            'gateway' AS source,
            'anthropic' AS provider,
            'model-' || hash(i // 60, 'model') % 6 AS model,
            begun AS started,
            begun + INTERVAL 1 SECOND AS first_token,
            begun + INTERVAL 5 SECOND AS finished,
            'ok' AS status,
            'end_turn' AS finish_reason,
            CAST(3 + hash(i, 'in') % 500 AS BIGINT) AS input_uncached,
            CAST(hash(i, 'read') % 100000 AS BIGINT) AS cache_read,
            CAST(hash(i, 'write') % 5000 AS BIGINT) AS cache_write_5m,
            0 AS cache_write_1h,
            CAST(20 + hash(i, 'out') % 800 AS BIGINT) AS output_visible,
            0 AS output_reasoning,
            'exact' AS usage_basis,
            'exact' AS output_basis,
            'standard' AS tier,
            0 AS web_searches,
            1 AS calls_count,
            CASE WHEN hash(i, 'basis') % 50 = 0 THEN 'unknown' ELSE 'exact' END AS cost_basis,
            'genai-prices' AS price_source,
            '0' AS price_version,
            'task-' || i // 60 AS task,
            'task-' || i // 60 AS conversation,
            i % 60 AS turn,
            '' AS agent,
            'project-' || hash(i // 60, 'project') % 300 AS project,
            '' AS branch,
            'team-' || hash(i // 60, 'key') % 40 AS team,
            'app-' || hash(i // 60, 'key') % 80 AS app,
            'user-' || hash(i // 60, 'key') % 2000 AS user_name,
            'key-' || hash(i // 60, 'key') % 400 AS key_name,
            CASE WHEN hash(i // 60, 'client') % 3 = 0 THEN '{}' ELSE '{"client":"c' || hash(i // 60, 'client') % 50 || '"}' END AS tags,
            '' AS place,
            '' AS break_cause
        FROM (
            SELECT
                i,
                TIMESTAMP '2025-01-01' + to_seconds(CAST(i // 60 * (31500000.0 * 60 / $calls) AS BIGINT) + 20 * (i % 60)) AS begun
            FROM range($calls) AS calls(i)
        ) AS numbered
    ) AS counted
) AS priced
