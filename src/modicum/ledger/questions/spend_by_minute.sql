-- What was spent in each minute that had a call, by source and basis: for the windows of subscriptions. Usage reports, which
-- count the same calls again, are left out.
SELECT
    date_trunc('minute', started) AS minute,
    source,
    cost_basis,
    sum(calls_count) AS calls,
    sum(CASE WHEN cost_usd IS NULL THEN calls_count ELSE 0 END) AS calls_unpriced,
    sum(uncached_tokens + cache_read_tokens + cache_write_tokens) AS prompt_tokens,
    sum(completion_tokens) AS completion_tokens,
    sum(cost_usd) AS cost_usd
FROM entries
WHERE started >= $since AND started < $until AND source NOT LIKE '%-usage' AND $where
GROUP BY minute, source, cost_basis
ORDER BY source, minute, cost_basis
