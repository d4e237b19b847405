-- What was spent, a row per name in one dimension ($by), and per basis, so that figures of different basis stay apart.
-- $tag: the tag to group by where $by is 'tag'. $zone: the time zone in which days and weeks are cut.
-- is_report: sums of a provider's usage report, which count the same calls as logs do and are never added to them.
-- Costs that are unknown are left out of the sums; calls_unpriced counts them.
SELECT
    dimension(
        $by, $tag, $zone, model, source,
        CASE WHEN provider = '' THEN tag_value(tags, 'server') ELSE provider END,
        project, branch, task, agent, team, app, user_name, key_name, tier,
        status, place, tags, started
    ) AS name,
    usage_basis,
    output_basis,
    cost_basis,
    CASE WHEN source LIKE '%-usage' THEN 1 ELSE 0 END AS is_report,
    sum(calls_count) AS calls,
    sum(CASE WHEN cost_usd IS NULL THEN calls_count ELSE 0 END) AS calls_unpriced,
    sum(CASE WHEN place = 'progress' THEN calls_count ELSE 0 END) AS calls_in_progress_rows,
    sum(input_uncached) AS input_uncached,
    sum(cache_read) AS cache_read,
    sum(cache_write_5m) AS cache_write_5m,
    sum(cache_write_1h) AS cache_write_1h,
    sum(output_visible) AS output_visible,
    sum(output_reasoning) AS output_reasoning,
    sum(input_audio) AS input_audio,
    sum(input_image) AS input_image,
    sum(input_video) AS input_video,
    sum(cache_read_audio) AS cache_read_audio,
    sum(cache_read_image) AS cache_read_image,
    sum(cache_write_30m) AS cache_write_30m,
    sum(cache_write_12h) AS cache_write_12h,
    sum(output_audio) AS output_audio,
    sum(output_image) AS output_image,
    sum(output_video) AS output_video,
    sum(output_tokens_estimated) AS output_tokens_estimated,
    sum(
        CASE WHEN output_visible > 0
            THEN CAST(cost_output_visible_usd AS DOUBLE) / output_visible * output_tokens_estimated END
    ) AS cost_estimated_output_usd,
    count(first_token) AS calls_with_first_token,
    sum(seconds_between(started, first_token)) AS first_token_seconds,
    sum(CASE WHEN finished > first_token THEN completion_tokens ELSE 0 END) AS timed_output_tokens,
    sum(CASE WHEN finished > first_token THEN seconds_between(first_token, finished) ELSE 0 END) AS output_seconds,
    sum(cost_usd) AS cost_usd,
    sum(cost_input_uncached_usd) AS cost_input_uncached_usd,
    sum(cost_cache_read_usd) AS cost_cache_read_usd,
    sum(cost_cache_write_5m_usd) AS cost_cache_write_5m_usd,
    sum(cost_cache_write_1h_usd) AS cost_cache_write_1h_usd,
    sum(cost_output_visible_usd) AS cost_output_visible_usd,
    sum(cost_output_reasoning_usd) AS cost_output_reasoning_usd,
    sum(cost_requests_usd) AS cost_requests_usd,
    sum(cost_input_audio_usd) AS cost_input_audio_usd,
    sum(cost_input_image_usd) AS cost_input_image_usd,
    sum(cost_input_video_usd) AS cost_input_video_usd,
    sum(cost_cache_read_audio_usd) AS cost_cache_read_audio_usd,
    sum(cost_cache_read_image_usd) AS cost_cache_read_image_usd,
    sum(cost_cache_write_30m_usd) AS cost_cache_write_30m_usd,
    sum(cost_cache_write_12h_usd) AS cost_cache_write_12h_usd,
    sum(cost_output_audio_usd) AS cost_output_audio_usd,
    sum(cost_output_image_usd) AS cost_output_image_usd,
    sum(cost_output_video_usd) AS cost_output_video_usd
FROM entries
WHERE started >= $since AND started < $until AND $where
GROUP BY name, usage_basis, output_basis, cost_basis, is_report
ORDER BY name, usage_basis, output_basis, cost_basis, is_report
