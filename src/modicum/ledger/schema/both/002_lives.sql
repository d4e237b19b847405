-- Calls that have an anatomy, numbered within their conversation, with what a token in each region of their prompt cost.
-- A prompt is read from cache up to `read_until`, written to cache up to `written_until`, and uncached behind that.
CREATE VIEW calls_in_order AS
SELECT
    entry_id,
    conversation,
    task,
    agent,
    model,
    provider,
    source,
    project,
    started,
    row_number() OVER (PARTITION BY conversation ORDER BY turn, started, entry_id) AS place_in_conversation,
    kept_segments,
    break_cause,
    cache_read AS read_until,
    cache_read + cache_write_5m + cache_write_1h AS written_until,
    input_uncached + cache_read + cache_write_5m + cache_write_1h AS prompt_tokens,
    CASE WHEN cache_read > 0 THEN CAST(cost_cache_read_usd AS DOUBLE) / cache_read ELSE 0 END AS read_usd,
    CASE WHEN cache_write_5m + cache_write_1h > 0
        THEN CAST(cost_cache_write_5m_usd + cost_cache_write_1h_usd AS DOUBLE) / (cache_write_5m + cache_write_1h)
        ELSE 0 END AS written_usd,
    CASE WHEN input_uncached > 0 THEN CAST(cost_input_uncached_usd AS DOUBLE) / input_uncached ELSE 0 END
        AS uncached_usd
FROM entries
WHERE kept_segments IS NOT NULL;

-- The calls at which a context lost something: they kept less than the call before them had.
CREATE VIEW breaks AS
SELECT entry_id, conversation, place_in_conversation, kept_segments, break_cause, segments_before
FROM (
    SELECT
        calls.entry_id AS entry_id,
        calls.conversation AS conversation,
        calls.place_in_conversation AS place_in_conversation,
        calls.kept_segments AS kept_segments,
        calls.break_cause AS break_cause,
        lag(calls.kept_segments + coalesce(added.segments, 0), 1, 0) OVER (
            PARTITION BY calls.conversation ORDER BY calls.place_in_conversation
        ) AS segments_before
    FROM calls_in_order AS calls
    LEFT JOIN (SELECT entry_id, count(*) AS segments FROM segments GROUP BY entry_id) AS added
        ON added.entry_id = calls.entry_id
) AS lengths
WHERE kept_segments < segments_before;

-- Every segment with the calls that carried it: from `born` until before `died` (places in the conversation).
CREATE VIEW lives AS
SELECT
    segments.entry_id AS entry_id,
    calls.conversation AS conversation,
    segments.position AS position,
    segments.offset_tokens AS offset_tokens,
    segments.tokens AS tokens,
    segments.kind AS kind,
    segments.tool AS tool,
    segments.digest AS digest,
    segments.detail AS detail,
    segments.is_error AS is_error,
    calls.place_in_conversation AS born,
    coalesce(deaths.died, 9000000000000000000) AS died
FROM segments
JOIN calls_in_order AS calls ON calls.entry_id = segments.entry_id
LEFT JOIN (
    SELECT
        segments.entry_id AS entry_id,
        segments.position AS position,
        min(breaks.place_in_conversation) AS died
    FROM segments
    JOIN calls_in_order AS births ON births.entry_id = segments.entry_id
    JOIN breaks ON breaks.conversation = births.conversation
    WHERE breaks.place_in_conversation > births.place_in_conversation
        AND breaks.kept_segments <= segments.position
    GROUP BY segments.entry_id, segments.position
) AS deaths ON deaths.entry_id = segments.entry_id AND deaths.position = segments.position;
