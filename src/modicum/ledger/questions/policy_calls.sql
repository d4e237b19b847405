-- Of every call what a policy may look at, in order of time. Sums of prompt and completion are NULL where nobody
-- counted them. data_class: what the caller said in the tag of that name.
SELECT
    started,
    provider,
    model,
    region,
    team,
    app,
    user_name,
    key_name,
    project,
    task,
    tags,
    calls_count AS calls,
    CASE WHEN usage_basis = 'unknown' THEN NULL ELSE uncached_tokens + cache_read_tokens + cache_write_tokens END
        AS prompt_tokens,
    CASE WHEN output_basis = 'unknown' THEN NULL ELSE completion_tokens END AS completion_tokens,
    effective_tokens,
    cost_usd,
    cost_basis
FROM entries
WHERE started >= $since AND started < $until
ORDER BY started, entry_id
