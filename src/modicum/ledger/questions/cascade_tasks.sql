-- The tasks with calls of one cascade ($tag: in which its verdicts stand) since $since: how many of its answers the verifier
-- judged and refused, and the largest value of the task's outcome called $outcome (NULL: it has none).
SELECT judged.task AS task, judged.answers AS answers, judged.refused AS refused, reached.value AS value
FROM (
    SELECT
        task,
        count(*) AS answers,
        sum(CASE WHEN tag_value(tags, $tag) = 'believed' THEN 0 ELSE 1 END) AS refused
    FROM entries
    WHERE task <> '' AND started >= $since AND tag_value(tags, $tag) <> ''
    GROUP BY task
) AS judged
LEFT JOIN (
    SELECT task, max(value) AS value FROM outcomes WHERE name = $outcome GROUP BY task
) AS reached ON reached.task = judged.task
ORDER BY judged.task
