-- Which tasks carry a tag ($tag), a row per task and value.
SELECT task, tag_value(tags, $tag) AS value
FROM entries
WHERE task <> '' AND tag_value(tags, $tag) <> ''
GROUP BY task, value
ORDER BY task, value
