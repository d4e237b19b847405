-- Calls and list cost by source and month: what a flat fee would have covered.
SELECT
    source,
    CAST(CAST(date_trunc('month', local_time(started, $zone)) AS DATE) AS VARCHAR) AS month,
    sum(calls) AS calls,
    sum(cost_usd) AS cost_usd
FROM $figures
WHERE $where
GROUP BY source, month
ORDER BY source, month
