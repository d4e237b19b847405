-- How much of a tool result later calls referred to, counted while its text passed (`read_share`, 0 to 1). Apart from
-- the segments, because it becomes known later than they do: `revision` is how many later calls were seen.
CREATE TABLE reuse_log (
    entry_id String,
    revision Int64,
    digest String,
    read_share Float64
) ENGINE = ReplacingMergeTree(revision) ORDER BY (entry_id, digest);

CREATE VIEW reuse AS SELECT * FROM reuse_log FINAL;
