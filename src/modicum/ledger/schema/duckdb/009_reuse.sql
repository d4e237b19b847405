-- How much of a tool result later calls referred to, counted while its text passed (`read_share`, 0 to 1). Apart from
-- the segments, because it becomes known later than they do: `revision` is how many later calls were seen.
CREATE TABLE reuse (
    entry_id VARCHAR NOT NULL,
    revision BIGINT NOT NULL,
    digest VARCHAR NOT NULL,
    read_share DOUBLE NOT NULL
);
