-- What rules would have made of tool results of calls that began in that time. For `ask_columns`.
SELECT
    shortenings.entry_id AS entry_id,
    digest_code(shortenings.digest) AS digest,
    shortenings.rules AS rules,
    shortenings.share AS share
FROM shortenings
JOIN entries ON entries.entry_id = shortenings.entry_id
WHERE entries.started >= $since AND entries.started < $until
ORDER BY rules, entry_id, digest
