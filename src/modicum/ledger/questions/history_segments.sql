-- Every segment with the number of the call that bore it (calls as `history_calls` orders them, from 0). For
-- `ask_columns`: words and digests are numbers, so that many millions of segments take no text.
SELECT
    calls.call_number AS call_number,
    segments.position AS position,
    segments.offset_tokens AS offset_tokens,
    segments.tokens AS tokens,
    words.word AS word,
    digest_code(segments.digest) AS digest,
    digest_code(segments.detail) AS detail,
    CASE WHEN segments.is_error THEN 1 ELSE 0 END AS is_error
FROM segments
JOIN (
    SELECT
        entry_id,
        row_number() OVER (
            ORDER BY CASE WHEN conversation = '' THEN concat('call ', entry_id) ELSE conversation END,
                turn, started, entry_id
        ) - 1 AS call_number
    FROM entries
    WHERE started >= $since AND started < $until
) AS calls ON calls.entry_id = segments.entry_id
JOIN (
    SELECT kind, tool, row_number() OVER (ORDER BY kind, tool) - 1 AS word
    FROM (SELECT kind, tool FROM segments GROUP BY kind, tool) AS pairs
) AS words ON words.kind = segments.kind AND words.tool = segments.tool
ORDER BY call_number, position
