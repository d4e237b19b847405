-- Where and when each task worked: a row per task, project, branch and minute, with its first and last call in it.
-- Enough to tell which task touched a branch last before a commit.
SELECT
    task,
    project,
    branch,
    min(started) AS first_at,
    max(started) AS last_at
FROM entries
WHERE task <> '' AND started >= $since AND started < $until
GROUP BY task, project, branch, date_trunc('minute', started)
ORDER BY last_at, task
