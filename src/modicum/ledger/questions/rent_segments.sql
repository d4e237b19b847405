-- The segments that paid most rent, $most of them, the dearest first; before them one row (`is_sum`) with the sums over
-- all segments. A segment's parts of the prompt are priced as in `rent`. `tokens` and `segments` count what was first
-- sent in that time.
SELECT
    paid.*,
    coalesce(births.task, '') AS task,
    coalesce(births.conversation, '') AS conversation,
    births.started AS born_at
FROM (
    SELECT *
    FROM (
        SELECT
            lives.entry_id AS entry_id,
            lives.position AS position,
            grouping(lives.entry_id) AS is_sum,
            min(lives.kind) AS kind,
            min(lives.tool) AS tool,
            count(*) AS calls_carried,
            max(lives.tokens) AS tokens_each,
            sum(CASE WHEN calls.place_in_conversation = lives.born THEN 1 ELSE 0 END) AS segments,
            sum(CASE WHEN calls.place_in_conversation = lives.born THEN lives.tokens ELSE 0 END) AS tokens,
            sum(lives.tokens) AS tokens_carried,
            sum(tokens_between(lives.offset_tokens, lives.tokens, 0, calls.read_until) * calls.read_usd) AS read_usd,
            sum(tokens_between(lives.offset_tokens, lives.tokens, calls.read_until, calls.written_until) * calls.written_usd) AS written_usd,
            sum(
                tokens_between(lives.offset_tokens, lives.tokens, calls.written_until, calls.prompt_tokens) * calls.uncached_usd
            ) AS uncached_usd
        FROM lives
        JOIN calls_in_order AS calls ON calls.conversation = lives.conversation
        WHERE calls.place_in_conversation >= lives.born
            AND calls.place_in_conversation < lives.died
            AND calls.started >= $since
            AND calls.started < $until
        GROUP BY GROUPING SETS ((lives.entry_id, lives.position), ())
    ) AS grouped
    ORDER BY
        is_sum DESC,
        coalesce(read_usd, 0) + coalesce(written_usd, 0) + coalesce(uncached_usd, 0) DESC,
        entry_id,
        position
    LIMIT $most + 1
) AS paid
LEFT JOIN entries AS births ON births.entry_id = paid.entry_id
ORDER BY
    is_sum DESC,
    coalesce(read_usd, 0) + coalesce(written_usd, 0) + coalesce(uncached_usd, 0) DESC,
    paid.entry_id,
    position
