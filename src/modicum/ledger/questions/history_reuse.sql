-- How much of tool results was referred to later, of calls that began in that time. For `ask_columns`.
SELECT
    reuse.entry_id AS entry_id,
    digest_code(reuse.digest) AS digest,
    reuse.read_share AS read_share
FROM reuse
JOIN entries ON entries.entry_id = reuse.entry_id
WHERE entries.started >= $since AND entries.started < $until
ORDER BY entry_id, digest
