-- The calls that watched servers may have served: those whose tag `server` is set, and those of a provider that windows
-- name ($provider: one more, by whoever asks). Only calls that ran in the time and whose end is known.
-- `name` as in `yield`, by $by ($tag, $zone). Prompt tokens are those that had to be computed.
SELECT
    CASE $by
        WHEN 'model' THEN model
        WHEN 'source' THEN source
        WHEN 'provider' THEN provider
        WHEN 'project' THEN project
        WHEN 'branch' THEN branch
        WHEN 'task' THEN task
        WHEN 'agent' THEN agent
        WHEN 'owner' THEN concat(team, '/', app, '/', user_name, '/', key_name)
        WHEN 'team' THEN team
        WHEN 'app' THEN app
        WHEN 'user' THEN user_name
        WHEN 'key' THEN key_name
        WHEN 'tier' THEN tier
        WHEN 'tag' THEN tag_value(tags, $tag)
        WHEN 'day' THEN CAST(CAST(local_time(started, $zone) AS DATE) AS VARCHAR)
        WHEN 'week' THEN CAST(CAST(date_trunc('week', local_time(started, $zone)) AS DATE) AS VARCHAR)
        WHEN 'month' THEN CAST(CAST(date_trunc('month', local_time(started, $zone)) AS DATE) AS VARCHAR)
        ELSE ''
    END AS name,
    entry_id,
    task,
    provider,
    tag_value(tags, 'server') AS server,
    started,
    first_token,
    finished,
    input_uncached + cache_write_5m + cache_write_1h AS computed_prompt_tokens,
    output_visible + output_reasoning AS generated_tokens
FROM entries
WHERE started < $until AND finished > $since AND calls_count = 1 AND usage_basis <> 'unknown'
    AND (
        tag_value(tags, 'server') <> ''
        OR (provider <> '' AND provider = $provider)
        OR provider IN (SELECT provider FROM energy_windows WHERE provider <> '')
    )
ORDER BY started, entry_id
