-- Every call with its buckets and costs (those that are no text with those that are, cache writes as short or long), in order within its conversation. For `ask_columns`: unknown costs and times
-- are NaN, unknown counts -1. The usage of single calls is unknown in the sum of a run, too. A call without conversation is one of its own.
SELECT
    entry_id,
    CASE WHEN conversation = '' THEN concat('call ', entry_id) ELSE conversation END AS conversation_name,
    task,
    agent,
    project,
    model,
    provider,
    source,
    tier,
    status,
    finish_reason,
    break_cause,
    prompt_events,
    client_version,
    cache_miss,
    coalesce(kept_segments, -1) AS kept_segments,
    calls_count,
    CASE WHEN tags <> '{}' AND tag_value(tags, 'cost_class') = 'keep_warm' THEN 1 ELSE 0 END AS is_ping,
    CASE WHEN usage_basis = 'unknown' OR place IN ('run', 'rest') THEN 1 ELSE 0 END AS usage_unknown,
    seconds_between(CAST('1970-01-01 00:00:00' AS TIMESTAMP), started) AS started_s,
    seconds_between(CAST('1970-01-01 00:00:00' AS TIMESTAMP), finished) AS finished_s,
    seconds_between(CAST('1970-01-01 00:00:00' AS TIMESTAMP), first_token) AS first_token_s,
    cache_read_tokens AS cache_read,
    cache_write_5m + cache_write_30m AS cache_write_5m,
    cache_write_1h + cache_write_12h AS cache_write_1h,
    uncached_tokens AS input_uncached,
    output_visible + output_audio + output_image + output_video AS output_visible,
    output_reasoning,
    CAST(cost_usd AS DOUBLE) AS cost_usd,
    CAST(
        cost_input_uncached_usd + cost_input_audio_usd + cost_input_image_usd + cost_input_video_usd AS DOUBLE
    ) AS cost_input_uncached_usd,
    CAST(cost_cache_read_usd + cost_cache_read_audio_usd + cost_cache_read_image_usd AS DOUBLE) AS cost_cache_read_usd,
    CAST(cost_cache_write_5m_usd + cost_cache_write_30m_usd AS DOUBLE) AS cost_cache_write_5m_usd,
    CAST(cost_cache_write_1h_usd + cost_cache_write_12h_usd AS DOUBLE) AS cost_cache_write_1h_usd,
    CAST(
        cost_output_visible_usd + cost_output_audio_usd + cost_output_image_usd + cost_output_video_usd AS DOUBLE
    ) AS cost_output_visible_usd,
    CAST(cost_output_reasoning_usd AS DOUBLE) AS cost_output_reasoning_usd,
    CAST(cost_requests_usd AS DOUBLE) AS cost_requests_usd
FROM entries
WHERE started >= $since AND started < $until
ORDER BY conversation_name, turn, started, entry_id
