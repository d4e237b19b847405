-- What came of each task by the outcome called $outcome: the largest of its values.
SELECT task, max(value) AS value FROM outcomes WHERE name = $outcome AND task <> '' GROUP BY task ORDER BY task
