-- When the tasks of a time ran: those whose first call began in it, from that to the end of their last one.
-- Calls without a task count by their own time, as in `yield`. Without
-- any call the times mean nothing.
SELECT
    min(started) AS first_started,
    max(CASE WHEN finished > started THEN finished ELSE started END) AS last_finished
FROM entries
WHERE (
    task <> '' AND task IN (
        SELECT task FROM entries GROUP BY task HAVING min(started) >= $since AND min(started) < $until
    )
) OR (task = '' AND started >= $since AND started < $until)
