-- What was spent on each day within each name of one dimension ($by, $tag), per basis: for charts. $zone: in which days
-- are cut; this is done minute by minute, since it takes ten times as long as all the rest.
-- is_report: sums of a provider's usage report, as in `bill`.
SELECT
    CAST(CAST(local_time(minute_started, $zone) AS DATE) AS VARCHAR) AS day,
    name,
    cost_basis,
    is_report,
    sum(calls) AS calls,
    sum(calls_unpriced) AS calls_unpriced,
    sum(prompt_tokens) AS prompt_tokens,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(completion_tokens) AS completion_tokens,
    sum(effective_tokens) AS effective_tokens,
    sum(calls_unweighted) AS calls_unweighted,
    sum(cost_usd) AS cost_usd
FROM (
    SELECT
        date_trunc('minute', started) AS minute_started,
        dimension(
            $by, $tag, $zone, model, source, shown_provider, project, branch, task, agent, team, app, user_name, key_name,
            tier, status, place, tags, started
        ) AS name,
        cost_basis,
        CASE WHEN source LIKE '%-usage' THEN 1 ELSE 0 END AS is_report,
        sum(calls) AS calls,
        sum(calls_unpriced) AS calls_unpriced,
        sum(prompt_tokens) AS prompt_tokens,
        sum(cache_read_tokens) AS cache_read_tokens,
        sum(completion_tokens) AS completion_tokens,
        sum(effective_tokens) AS effective_tokens,
        sum(calls_unweighted) AS calls_unweighted,
        sum(cost_usd) AS cost_usd
    FROM $figures
    WHERE $where
    GROUP BY minute_started, name, cost_basis, is_report
) AS minutes
GROUP BY day, name, cost_basis, is_report
ORDER BY day, name, cost_basis, is_report
