-- What stands around the rent of segments: the whole bill, its output, the prompts that have no anatomy, and the costs
-- that a log told as a total, which nobody can divide.
SELECT
    sum(calls_count) AS calls,
    sum(cost_usd) AS cost_usd,
    sum(CASE WHEN cost_usd IS NULL THEN calls_count ELSE 0 END) AS calls_unpriced,
    sum(completion_tokens) AS completion_tokens,
    sum(
        cost_output_visible_usd + cost_output_reasoning_usd + cost_output_audio_usd + cost_output_image_usd
        + cost_output_video_usd
    ) AS completion_usd,
    sum(cost_requests_usd) AS requests_usd,
    sum(CASE WHEN cost_input_uncached_usd IS NULL THEN cost_usd END) AS undivided_usd,
    sum(CASE WHEN kept_segments IS NULL THEN uncached_tokens + cache_read_tokens + cache_write_tokens ELSE 0 END)
        AS bare_prompt_tokens,
    sum(
        CASE WHEN kept_segments IS NULL THEN
            cost_input_uncached_usd + cost_input_audio_usd + cost_input_image_usd + cost_input_video_usd
            + cost_cache_read_usd + cost_cache_read_audio_usd + cost_cache_read_image_usd
            + cost_cache_write_5m_usd + cost_cache_write_30m_usd + cost_cache_write_1h_usd + cost_cache_write_12h_usd
        END
    ) AS bare_prompt_usd
FROM entries
WHERE started >= $since AND started < $until
