-- What was sent to whom: calls and prompt tokens by provider and owner, with the tags that tell what was seen in them.
SELECT
    CASE $by WHEN 'team' THEN team WHEN 'app' THEN app WHEN 'user' THEN user_name WHEN 'project' THEN project
        ELSE CASE WHEN provider = '' THEN tag_value(tags, 'server') ELSE provider END END AS name,
    tags,
    sum(calls_count) AS calls,
    sum(uncached_tokens + cache_read_tokens + cache_write_tokens) AS prompt_tokens,
    sum(CASE WHEN kept_segments IS NULL THEN calls_count ELSE 0 END) AS calls_without_anatomy,
    sum(CASE WHEN kept_segments IS NOT NULL AND source = 'gateway' THEN calls_count ELSE 0 END) AS calls_by_gateway
FROM entries
WHERE started >= $since AND started < $until
GROUP BY name, tags
ORDER BY name, tags
