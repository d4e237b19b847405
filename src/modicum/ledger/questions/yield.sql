-- What each task cost within each name of one dimension ($by), per basis, and the task's outcome called $outcome: the sum
-- of its values (NULL where it has none). A task belongs to the time in which its first call began, with all its calls,
-- so that none is cut in half. Calls without a task are counted by their own time.
-- $tag: the tag to group by where $by is 'tag'. $zone: the time zone in which days, weeks and months are cut.
SELECT
    spent.name AS name,
    spent.task AS task,
    spent.usage_basis AS usage_basis,
    spent.output_basis AS output_basis,
    spent.cost_basis AS cost_basis,
    spent.calls AS calls,
    spent.calls_uncounted AS calls_uncounted,
    spent.calls_unpriced AS calls_unpriced,
    spent.calls_unweighted AS calls_unweighted,
    spent.tokens AS tokens,
    spent.effective_tokens AS effective_tokens,
    spent.cost_usd AS cost_usd,
    reached.value_sum AS value_sum
FROM (
    SELECT
        dimension(
            $by, $tag, $zone, model, source,
            CASE WHEN provider = '' THEN tag_value(tags, 'server') ELSE provider END,
            project, branch, task, agent, team, app, user_name, key_name, tier,
            status, place, tags, started
        ) AS name,
        task,
        usage_basis,
        output_basis,
        cost_basis,
        sum(calls_count) AS calls,
        sum(CASE WHEN usage_basis = 'unknown' THEN calls_count ELSE 0 END) AS calls_uncounted,
        sum(CASE WHEN cost_usd IS NULL THEN calls_count ELSE 0 END) AS calls_unpriced,
        sum(CASE WHEN effective_tokens IS NULL THEN calls_count ELSE 0 END) AS calls_unweighted,
        sum(
            CASE WHEN usage_basis = 'unknown' THEN 0 ELSE
                uncached_tokens + cache_read_tokens + cache_write_tokens + completion_tokens
            END
        ) AS tokens,
        sum(effective_tokens) AS effective_tokens,
        sum(cost_usd) AS cost_usd
    FROM entries
    WHERE $where AND ((
        task <> '' AND task IN (
            SELECT task FROM entries GROUP BY task HAVING min(started) >= $since AND min(started) < $until
        )
    ) OR (task = '' AND started >= $since AND started < $until))
    GROUP BY name, task, usage_basis, output_basis, cost_basis
) AS spent
LEFT JOIN (
    SELECT task, sum(value) AS value_sum FROM outcomes WHERE name = $outcome GROUP BY task
) AS reached ON reached.task = spent.task
ORDER BY name, task, usage_basis, output_basis, cost_basis
