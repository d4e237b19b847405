-- The tasks that cost most, $most of them, with what they took and what came of them. A task is in the time in which one
-- of its calls began; only those calls are counted. value_sum: of all of its outcomes; NULL where it has none.
SELECT
    spent.task AS task,
    spent.calls AS calls,
    spent.calls_failed AS calls_failed,
    spent.calls_unpriced AS calls_unpriced,
    spent.weakest AS weakest,
    spent.models AS models,
    spent.model AS model,
    spent.agents AS agents,
    spent.first_started AS first_started,
    spent.last_started AS last_started,
    spent.prompt_tokens AS prompt_tokens,
    spent.cache_read_tokens AS cache_read_tokens,
    spent.completion_tokens AS completion_tokens,
    spent.cost_usd AS cost_usd,
    reached.outcomes AS outcomes,
    reached.value_sum AS value_sum
FROM (
    SELECT
        task,
        sum(calls_count) AS calls,
        sum(CASE WHEN status <> 'ok' THEN calls_count ELSE 0 END) AS calls_failed,
        sum(CASE WHEN cost_usd IS NULL THEN calls_count ELSE 0 END) AS calls_unpriced,
        max(CASE cost_basis WHEN 'exact' THEN 0 WHEN 'lower_bound' THEN 1 WHEN 'estimated' THEN 2 ELSE 3 END) AS weakest,
        count(DISTINCT model) AS models,
        max(model) AS model,
        count(DISTINCT agent) AS agents,
        min(started) AS first_started,
        max(started) AS last_started,
        sum(uncached_tokens + cache_read_tokens + cache_write_tokens) AS prompt_tokens,
        sum(cache_read_tokens) AS cache_read_tokens,
        sum(completion_tokens) AS completion_tokens,
        sum(cost_usd) AS cost_usd
    FROM entries
    WHERE task <> '' AND started >= $since AND started < $until AND $where
    GROUP BY task
    ORDER BY sum(cost_usd) DESC NULLS LAST, task
    LIMIT $most
) AS spent
LEFT JOIN (
    SELECT task, count(*) AS outcomes, sum(value) AS value_sum FROM outcomes GROUP BY task
) AS reached ON reached.task = spent.task
ORDER BY cost_usd DESC NULLS LAST, task
