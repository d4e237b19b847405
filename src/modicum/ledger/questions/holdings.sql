-- What the ledger holds, a row per source.
SELECT
    entries.source AS source,
    sum(entries.calls_count) AS calls,
    count(DISTINCT entries.task) AS tasks,
    min(entries.started) AS first_started,
    max(entries.started) AS last_started,
    sum(CASE WHEN entries.kept_segments IS NULL THEN 0 ELSE 1 END) AS calls_with_anatomy,
    sum(coalesce(parts.segments, 0)) AS segments
FROM entries
LEFT JOIN (
    SELECT entry_id, count(*) AS segments FROM segments GROUP BY entry_id
) AS parts ON parts.entry_id = entries.entry_id
GROUP BY entries.source
ORDER BY calls DESC, source
