-- Tasks of which calls name rules that they have ($with_tag) or are held out of ($held_out_tag), each with all its calls: a
-- row for a task and what its calls say. Calls that say nothing (pings, those of other owners) have rows of their own.
SELECT
    parts.task AS task,
    parts.with_rules AS with_rules,
    parts.held_out AS held_out,
    parts.began AS began,
    parts.calls AS calls,
    parts.calls_failed AS calls_failed,
    parts.calls_unweighted AS calls_unweighted,
    parts.calls_unpriced AS calls_unpriced,
    parts.effective_tokens AS effective_tokens,
    parts.cost_usd AS cost_usd,
    reached.value_low AS value_low,
    reached.value_high AS value_high
FROM (
    SELECT
        task,
        tag_value(tags, $with_tag) AS with_rules,
        tag_value(tags, $held_out_tag) AS held_out,
        min(started) AS began,
        sum(calls_count) AS calls,
        sum(CASE WHEN status = 'error' THEN calls_count ELSE 0 END) AS calls_failed,
        sum(CASE WHEN effective_tokens IS NULL AND status <> 'error' THEN calls_count ELSE 0 END) AS calls_unweighted,
        sum(CASE WHEN cost_usd IS NULL AND status <> 'error' THEN calls_count ELSE 0 END) AS calls_unpriced,
        coalesce(sum(effective_tokens), 0) AS effective_tokens,
        coalesce(sum(cost_usd), 0) AS cost_usd
    FROM entries
    WHERE task IN (
        SELECT task FROM entries
        WHERE task <> '' AND started >= $since AND started < $until
            AND (tag_value(tags, $with_tag) <> '' OR tag_value(tags, $held_out_tag) <> '')
    )
    GROUP BY task, with_rules, held_out
) AS parts
LEFT JOIN (
    SELECT task, min(value) AS value_low, max(value) AS value_high FROM outcomes WHERE name = $outcome GROUP BY task
) AS reached ON reached.task = parts.task
ORDER BY task, began, with_rules, held_out
