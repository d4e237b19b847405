-- What was sent to whom, by kind of segment: tokens when first sent.
SELECT
    CASE $by WHEN 'team' THEN team WHEN 'app' THEN app WHEN 'user' THEN user_name WHEN 'project' THEN project
        ELSE CASE WHEN provider = '' THEN tag_value(tags, 'server') ELSE provider END END AS name,
    segments.kind AS kind,
    sum(segments.tokens) AS tokens
FROM segments
JOIN entries ON entries.entry_id = segments.entry_id
WHERE started >= $since AND started < $until
GROUP BY name, kind
ORDER BY name, kind
