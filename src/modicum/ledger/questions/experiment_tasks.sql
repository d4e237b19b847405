-- The tasks of an experiment, which began in its time, each with all its calls, its arm and its outcomes called $outcome.
-- $tag: the tag that carries the arm. $rule: under which the experiment's changes of calls are booked.
-- A task whose calls name two arms has `arm_low` beside `arm_high`. Sums are NULL where a call's part is not known.
SELECT
    spent.task AS task,
    spent.arm_low AS arm_low,
    spent.arm_high AS arm_high,
    spent.began AS began,
    spent.calls AS calls,
    spent.calls_failed AS calls_failed,
    spent.calls_concerned AS calls_concerned,
    coalesce(made.calls_applied, 0) AS calls_applied,
    CASE WHEN spent.calls_unweighted = 0 THEN spent.effective_tokens END AS effective_tokens,
    CASE WHEN spent.calls_unpriced = 0 THEN spent.cost_usd END AS cost_usd,
    reached.value_low AS value_low,
    reached.value_high AS value_high
FROM (
    SELECT
        task,
        min(CASE WHEN tag_value(tags, $tag) <> '' THEN tag_value(tags, $tag) END) AS arm_low,
        max(CASE WHEN tag_value(tags, $tag) <> '' THEN tag_value(tags, $tag) END) AS arm_high,
        min(started) AS began,
        sum(calls_count) AS calls,
        sum(CASE WHEN status = 'error' THEN calls_count ELSE 0 END) AS calls_failed,
        sum(CASE WHEN tag_value(tags, $tag) <> '' THEN calls_count ELSE 0 END) AS calls_concerned,
        sum(CASE WHEN effective_tokens IS NULL AND status <> 'error' THEN calls_count ELSE 0 END) AS calls_unweighted,
        sum(CASE WHEN cost_usd IS NULL AND status <> 'error' THEN calls_count ELSE 0 END) AS calls_unpriced,
        coalesce(sum(effective_tokens), 0) AS effective_tokens,
        coalesce(sum(cost_usd), 0) AS cost_usd
    FROM entries
    WHERE task IN (SELECT task FROM entries WHERE task <> '' AND tag_value(tags, $tag) <> '' AND started >= $since)
    GROUP BY task
    HAVING min(started) >= $since AND min(started) < $until
) AS spent
LEFT JOIN (
    SELECT entries.task AS task, count(DISTINCT edits.entry_id) AS calls_applied
    FROM edits
    JOIN entries ON entries.entry_id = edits.entry_id
    WHERE edits.rule = $rule AND entries.started >= $since
    GROUP BY entries.task
) AS made ON made.task = spent.task
LEFT JOIN (
    SELECT task, min(value) AS value_low, max(value) AS value_high FROM outcomes WHERE name = $outcome GROUP BY task
) AS reached ON reached.task = spent.task
ORDER BY began, task
