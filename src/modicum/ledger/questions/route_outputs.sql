-- Of every single call what it took of output, and how it ended. For `ask_columns`: unknown costs are NaN, no estimate
-- is -1. Sums of runs, calls that were answered from memory, and pings are none.
SELECT
    team,
    app,
    provider,
    model,
    CASE WHEN task = '' THEN concat('call ', entry_id) ELSE task END AS task,
    status,
    finish_reason,
    output_basis,
    completion_tokens AS output,
    coalesce(output_tokens_estimated, -1) AS output_estimated,
    output_reasoning AS reasoning,
    CAST(cost_usd AS DOUBLE) AS cost_usd,
    CAST(
        cost_output_visible_usd + cost_output_reasoning_usd + cost_output_audio_usd + cost_output_image_usd
        + cost_output_video_usd AS DOUBLE
    ) AS output_usd,
    CAST(cost_output_reasoning_usd AS DOUBLE) AS reasoning_usd
FROM entries
WHERE started >= $since AND started < $until
    AND calls_count = 1
    AND usage_basis <> 'unknown'
    AND place NOT IN ('run', 'rest')
    AND tag_value(tags, 'cost_class') <> 'keep_warm'
ORDER BY team, app, provider, model, entry_id
