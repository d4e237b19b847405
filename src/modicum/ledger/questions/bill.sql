-- What was spent, a row per name in one dimension ($by), and per basis, so that figures of different basis stay apart.
-- $tag: the tag to group by where $by is 'tag'. $zone: the time zone in which days and weeks are cut.
-- is_report: sums of a provider's usage report, which count the same calls as logs do and are never added to them.
-- Costs that are unknown are left out of the sums; calls_unpriced counts them.
SELECT
    dimension(
        $by, $tag, $zone, model, source, shown_provider, project, branch, task, agent, team, app, user_name, key_name,
        tier, status, place, tags, started
    ) AS name,
    usage_basis,
    output_basis,
    cost_basis,
    CASE WHEN source LIKE '%-usage' THEN 1 ELSE 0 END AS is_report,
    sum(calls) AS calls,
    sum(calls_unpriced) AS calls_unpriced,
    sum(calls_in_progress_rows) AS calls_in_progress_rows,
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
    sum(cost_estimated_output_usd) AS cost_estimated_output_usd,
    sum(calls_with_first_token) AS calls_with_first_token,
    sum(first_token_seconds) AS first_token_seconds,
    sum(timed_output_tokens) AS timed_output_tokens,
    sum(output_seconds) AS output_seconds,
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
FROM $figures
WHERE $where
GROUP BY name, usage_basis, output_basis, cost_basis, is_report
ORDER BY name, usage_basis, output_basis, cost_basis, is_report
