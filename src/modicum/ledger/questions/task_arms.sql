-- What each task took within each name of one dimension ($by, $tag), and its outcome called $outcome: the least and the
-- greatest of its values (NULL where it has none). `case_name`: what the task is matched by with tasks of other arms, a
-- dimension too ($pair, $pair_tag). A task belongs to the time in which its first call began, with all its calls.
-- Seconds are those of its calls, added up: pauses of a person between them are nobody's. Of the lists of prices and the
-- versions of clients, the first and the last in the alphabet: where they are two, there are two at least.
SELECT
    spent.name AS name,
    spent.task AS task,
    spent.case_name AS case_name,
    spent.began AS began,
    spent.calls AS calls,
    spent.calls_uncounted AS calls_uncounted,
    spent.calls_unpriced AS calls_unpriced,
    spent.calls_endless AS calls_endless,
    spent.prompt_tokens AS prompt_tokens,
    spent.completion_tokens AS completion_tokens,
    spent.cost_usd AS cost_usd,
    spent.seconds AS seconds,
    spent.price_low AS price_low,
    spent.price_high AS price_high,
    spent.client_low AS client_low,
    spent.client_high AS client_high,
    reached.value_low AS value_low,
    reached.value_high AS value_high
FROM (
    SELECT
        dimension(
            $by, $tag, $zone, model, source,
            CASE WHEN provider = '' THEN tag_value(tags, 'server') ELSE provider END,
            project, branch, task, agent, team, app, user_name, key_name, tier,
            status, place, tags, started
        ) AS name,
        task,
        dimension(
            $pair, $pair_tag, $zone, model, source,
            CASE WHEN provider = '' THEN tag_value(tags, 'server') ELSE provider END,
            project, branch, task, agent, team, app, user_name, key_name,
            tier, status, place, tags, started
        ) AS case_name,
        min(started) AS began,
        sum(calls_count) AS calls,
        sum(CASE WHEN usage_basis = 'unknown' OR output_basis = 'unknown' THEN calls_count ELSE 0 END) AS calls_uncounted,
        sum(CASE WHEN cost_usd IS NULL THEN calls_count ELSE 0 END) AS calls_unpriced,
        sum(CASE WHEN finished IS NULL OR finished <= started THEN calls_count ELSE 0 END) AS calls_endless,
        sum(uncached_tokens + cache_read_tokens + cache_write_tokens) AS prompt_tokens,
        sum(completion_tokens) AS completion_tokens,
        sum(cost_usd) AS cost_usd,
        min(concat(price_source, ' ', price_version)) AS price_low,
        max(concat(price_source, ' ', price_version)) AS price_high,
        min(client_version) AS client_low,
        max(client_version) AS client_high,
        sum(CASE WHEN finished > started THEN seconds_between(started, finished) ELSE 0 END) AS seconds
    FROM entries
    WHERE task <> '' AND task IN (
        SELECT task FROM entries GROUP BY task HAVING min(started) >= $since AND min(started) < $until
    )
    GROUP BY name, task, case_name
) AS spent
LEFT JOIN (
    SELECT task, min(value) AS value_low, max(value) AS value_high FROM outcomes WHERE name = $outcome GROUP BY task
) AS reached ON reached.task = spent.task
ORDER BY name, task, case_name
