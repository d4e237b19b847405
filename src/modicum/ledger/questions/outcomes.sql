-- Which outcomes are known, a row per name; `tasks_without_calls` are tasks of which the ledger holds no call.
SELECT
    told.name AS name,
    count(*) AS outcomes,
    count(DISTINCT told.task) AS tasks,
    count(DISTINCT CASE WHEN spent.task IS NULL THEN told.task END) AS tasks_without_calls,
    sum(told.value) AS value_sum,
    sum(CASE WHEN spent.task IS NULL THEN told.value ELSE 0 END) AS value_sum_without_calls,
    min(told.happened_at) AS first_at,
    max(told.happened_at) AS last_at
FROM outcomes AS told
LEFT JOIN (SELECT DISTINCT task FROM entries) AS spent ON spent.task = told.task
GROUP BY told.name
ORDER BY name
