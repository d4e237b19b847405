-- What calls through the gateway cost that a budget covers, a row per name that has a sum of its own, model and slot.
-- $team, $app, $user, $key, $task: whose calls; '' for all, '*' for each apart. $tag, $tag_value: likewise by a tag.
-- $slot_s: slots of so many seconds, counted back from $until. reserved: of calls whose cost is unknown, what was
-- reserved for them (the text of the tag 'budget.reserved'). $counted_in: calls with this text in the tag
-- 'budget.generation' are left out; '' for none. is_counted: whether their tokens are known; reserved_millijoules: what
-- was reserved for all of them in thousandths of a joule.
SELECT
    CASE WHEN $team = '*' THEN team ELSE '' END AS each_team,
    CASE WHEN $app = '*' THEN app ELSE '' END AS each_app,
    CASE WHEN $user = '*' THEN user_name ELSE '' END AS each_user,
    CASE WHEN $key = '*' THEN key_name ELSE '' END AS each_key,
    CASE WHEN $task = '*' THEN task ELSE '' END AS each_task,
    CASE WHEN $tag_value = '*' THEN tag_value(tags, $tag) ELSE '' END AS each_tag_value,
    CASE WHEN cost_usd IS NULL THEN tag_value(tags, 'budget.reserved') ELSE '' END AS reserved,
    model,
    CAST(floor(seconds_between(started, $until) / $slot_s) AS BIGINT) AS slot,
    count(*) AS entry_count,
    sum(calls_count) AS calls,
    sum(CASE WHEN cost_usd IS NULL THEN calls_count ELSE 0 END) AS calls_unpriced,
    sum(cost_usd) AS usd,
    sum(effective_tokens) AS weighed_tokens,
    provider,
    CASE WHEN usage_basis = 'unknown' OR output_basis = 'unknown' THEN 0 ELSE 1 END AS is_counted,
    sum(uncached_tokens + cache_write_tokens) AS computed_tokens,
    sum(cache_read_tokens) AS cached_tokens,
    sum(completion_tokens) AS generated_tokens,
    sum(
        CAST(concat('0', regexp_extract(tag_value(tags, 'budget.reserved'), '^[0-9]*/[0-9]*/([0-9]+)$', 1)) AS BIGINT)
    ) AS reserved_millijoules
FROM entries
WHERE source = 'gateway' AND started >= $since AND started < $until
    AND ($counted_in = '' OR tag_value(tags, 'budget.generation') <> $counted_in)
    AND ($team = '' OR $team = '*' OR team = $team)
    AND ($app = '' OR $app = '*' OR app = $app)
    AND ($user = '' OR $user = '*' OR user_name = $user)
    AND ($key = '' OR $key = '*' OR key_name = $key)
    AND ($task = '' OR $task = '*' OR task = $task)
    AND ($tag_value = '' OR $tag_value = '*' OR tag_value(tags, $tag) = $tag_value)
GROUP BY each_team, each_app, each_user, each_key, each_task, each_tag_value, reserved, model, provider, is_counted, slot
ORDER BY each_team, each_app, each_user, each_key, each_task, each_tag_value, reserved, model, provider, is_counted, slot
