-- What came of each task: the largest value among its outcomes. 0: every outcome was a failure.
SELECT task, max(value) AS value FROM outcomes GROUP BY task ORDER BY task
