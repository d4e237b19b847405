-- One row an edit: what a rule changed in a call before it was sent. Tokens are those of the prompt; NULL: another change.
CREATE TABLE edits_log (
    entry_id String,
    revision Int64,
    place Int64,
    rule LowCardinality(String),
    tokens_before Nullable(Int64),
    tokens_after Nullable(Int64),
    why LowCardinality(String),
    basis LowCardinality(String)
) ENGINE = ReplacingMergeTree ORDER BY (entry_id, revision, place);

CREATE VIEW edits AS
SELECT edits_log.* EXCEPT (revision) FROM edits_log FINAL
WHERE (entry_id, revision) IN (SELECT entry_id, revision FROM entries_log FINAL);
