-- What came of one task ($task): its outcomes in order of time.
SELECT name, value, happened_at, source FROM outcomes WHERE task = $task ORDER BY happened_at, name, outcome_id
