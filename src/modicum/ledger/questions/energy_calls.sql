-- The calls that watched servers may have served: those whose tag `server` is set, and those of a provider that windows
-- name ($provider: one more, by whoever asks). Only calls that ran in the time and whose end is known.
-- All of them share the energy; is_chosen marks those that somebody looks at.
-- `name` as in `yield`, by $by ($tag, $zone). Prompt tokens are those that had to be computed.
SELECT
    dimension(
        $by, $tag, $zone, model, source,
        CASE WHEN provider = '' THEN tag_value(tags, 'server') ELSE provider END,
        project, branch, task, agent, team, app, user_name, key_name, tier,
        status, place, tags, started
    ) AS name,
    entry_id,
    task,
    CASE WHEN $where THEN 1 ELSE 0 END AS is_chosen,
    provider,
    tag_value(tags, 'server') AS server,
    started,
    first_token,
    finished,
    uncached_tokens + cache_write_tokens AS computed_prompt_tokens,
    completion_tokens AS generated_tokens
FROM entries
WHERE started < $until AND finished > $since AND calls_count = 1 AND usage_basis <> 'unknown'
    AND (
        tag_value(tags, 'server') <> ''
        OR (provider <> '' AND provider = $provider)
        OR provider IN (SELECT provider FROM energy_windows WHERE provider <> '')
    )
ORDER BY started, entry_id
