-- What calls were charged in each hour, a row for each meter and price: for exports to finance. `name`: the calls' names in
-- other dimensions ($by, $tag; days in $zone). `meter` is a bucket of `Usage`; `requests` is what is charged beside tokens;
-- `calls` stands for calls of which no cost by bucket is known; `rounding` is what costs by bucket lack to the cost of their
-- call. `usd_per_unit` keeps calls apart whose tokens had different prices within the hour, to a trillionth of a dollar.
-- `usd` is NULL where the cost is unknown. is_report: sums of a provider's usage report, as in `bill`.
SELECT
    hour,
    source,
    provider,
    model,
    tier,
    region,
    team,
    name,
    price_source,
    cost_basis,
    is_report,
    meter,
    CASE WHEN usd IS NULL OR quantity = 0 THEN 0 ELSE round(CAST(usd AS DOUBLE) / quantity, 12) END AS usd_per_unit,
    CASE WHEN usd IS NULL THEN 1 ELSE 0 END AS is_unknown,
    sum(quantity) AS quantity,
    sum(calls_count) AS calls,
    sum(usd) AS usd
FROM (
    SELECT
        date_trunc('hour', started) AS hour,
        source,
        CASE WHEN provider = '' THEN tag_value(tags, 'server') ELSE provider END AS provider,
        model,
        tier,
        region,
        team,
        dimension(
            $by, $tag, $zone, model, source, provider, project, branch, task, agent, team, app, user_name, key_name, tier,
            status, place, tags, started
        ) AS name,
        price_source,
        cost_basis,
        CASE WHEN source LIKE '%-usage' THEN 1 ELSE 0 END AS is_report,
        calls_count,
        meter,
        CASE
            WHEN is_whole = 1 AND meter <> 'calls' THEN 0
            ELSE
                CASE meter
                    WHEN 'input_uncached' THEN input_uncached
                    WHEN 'cache_read' THEN cache_read
                    WHEN 'cache_write_5m' THEN cache_write_5m
                    WHEN 'cache_write_1h' THEN cache_write_1h
                    WHEN 'output_visible' THEN output_visible
                    WHEN 'output_reasoning' THEN output_reasoning
                    WHEN 'input_audio' THEN input_audio
                    WHEN 'input_image' THEN input_image
                    WHEN 'input_video' THEN input_video
                    WHEN 'cache_read_audio' THEN cache_read_audio
                    WHEN 'cache_read_image' THEN cache_read_image
                    WHEN 'cache_write_30m' THEN cache_write_30m
                    WHEN 'cache_write_12h' THEN cache_write_12h
                    WHEN 'output_audio' THEN output_audio
                    WHEN 'output_image' THEN output_image
                    WHEN 'output_video' THEN output_video
                    WHEN 'requests' THEN CASE WHEN cost_requests_usd > 0 THEN greatest(web_searches, calls_count) ELSE 0 END
                    WHEN 'calls' THEN
                        CASE WHEN is_whole = 1 OR tokens = 0 AND cost_usd IS NULL THEN calls_count ELSE 0 END
                    ELSE 0
                END
        END AS quantity,
        CASE
            WHEN cost_usd IS NULL THEN NULL
            WHEN is_whole = 1 THEN CASE WHEN meter = 'calls' THEN cost_usd ELSE CAST(0 AS DECIMAL(18, 10)) END
            ELSE
                CASE meter
                    WHEN 'input_uncached' THEN cost_input_uncached_usd
                    WHEN 'cache_read' THEN cost_cache_read_usd
                    WHEN 'cache_write_5m' THEN cost_cache_write_5m_usd
                    WHEN 'cache_write_1h' THEN cost_cache_write_1h_usd
                    WHEN 'output_visible' THEN cost_output_visible_usd
                    WHEN 'output_reasoning' THEN cost_output_reasoning_usd
                    WHEN 'input_audio' THEN cost_input_audio_usd
                    WHEN 'input_image' THEN cost_input_image_usd
                    WHEN 'input_video' THEN cost_input_video_usd
                    WHEN 'cache_read_audio' THEN cost_cache_read_audio_usd
                    WHEN 'cache_read_image' THEN cost_cache_read_image_usd
                    WHEN 'cache_write_30m' THEN cost_cache_write_30m_usd
                    WHEN 'cache_write_12h' THEN cost_cache_write_12h_usd
                    WHEN 'output_audio' THEN cost_output_audio_usd
                    WHEN 'output_image' THEN cost_output_image_usd
                    WHEN 'output_video' THEN cost_output_video_usd
                    WHEN 'requests' THEN cost_requests_usd
                    WHEN 'rounding' THEN
                        cost_usd - cost_requests_usd
                        - cost_input_uncached_usd
                        - cost_cache_read_usd
                        - cost_cache_write_5m_usd
                        - cost_cache_write_1h_usd
                        - cost_output_visible_usd
                        - cost_output_reasoning_usd
                        - cost_input_audio_usd
                        - cost_input_image_usd
                        - cost_input_video_usd
                        - cost_cache_read_audio_usd
                        - cost_cache_read_image_usd
                        - cost_cache_write_30m_usd
                        - cost_cache_write_12h_usd
                        - cost_output_audio_usd
                        - cost_output_image_usd
                        - cost_output_video_usd
                    ELSE CAST(0 AS DECIMAL(18, 10))
                END
        END AS usd
    FROM (
        SELECT
            *,
            uncached_tokens + cache_read_tokens + cache_write_tokens + completion_tokens AS tokens,
            CASE WHEN cost_usd IS NOT NULL AND cost_requests_usd IS NULL THEN 1 ELSE 0 END AS is_whole
        FROM entries
        WHERE started >= $since AND started < $until AND $where
    ) AS chosen
    CROSS JOIN (
        SELECT 'input_uncached' AS meter UNION ALL
        SELECT 'cache_read' AS meter UNION ALL
        SELECT 'cache_write_5m' AS meter UNION ALL
        SELECT 'cache_write_1h' AS meter UNION ALL
        SELECT 'output_visible' AS meter UNION ALL
        SELECT 'output_reasoning' AS meter UNION ALL
        SELECT 'input_audio' AS meter UNION ALL
        SELECT 'input_image' AS meter UNION ALL
        SELECT 'input_video' AS meter UNION ALL
        SELECT 'cache_read_audio' AS meter UNION ALL
        SELECT 'cache_read_image' AS meter UNION ALL
        SELECT 'cache_write_30m' AS meter UNION ALL
        SELECT 'cache_write_12h' AS meter UNION ALL
        SELECT 'output_audio' AS meter UNION ALL
        SELECT 'output_image' AS meter UNION ALL
        SELECT 'output_video' AS meter UNION ALL
        SELECT 'requests' AS meter UNION ALL
        SELECT 'calls' AS meter UNION ALL
        SELECT 'rounding' AS meter
    ) AS meters
) AS metered
WHERE quantity > 0 OR usd <> 0
GROUP BY
    hour, source, provider, model, tier, region, team, name, price_source, cost_basis, is_report, meter, usd_per_unit,
    is_unknown
ORDER BY
    hour, source, provider, model, tier, region, team, name, price_source, cost_basis, is_report, meter, usd_per_unit,
    is_unknown
