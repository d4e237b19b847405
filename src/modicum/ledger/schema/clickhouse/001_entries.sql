-- The same tables on ClickHouse. Rows are appended and never changed: the views show of each entry its last revision.
-- `version` orders records of one entry: the revision, and of equals the one booked first.
CREATE TABLE entries_log (
    entry_id String,
    revision Int64,
    booked_at DateTime64(6, 'UTC'),
    source LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    started DateTime64(6, 'UTC'),
    first_token Nullable(DateTime64(6, 'UTC')),
    finished Nullable(DateTime64(6, 'UTC')),
    status LowCardinality(String),
    finish_reason LowCardinality(String),
    input_uncached Int64,
    cache_read Int64,
    cache_write_5m Int64,
    cache_write_1h Int64,
    output_visible Int64,
    output_reasoning Int64,
    usage_basis LowCardinality(String),
    output_basis LowCardinality(String),
    output_tokens_estimated Nullable(Int64),
    tier LowCardinality(String),
    web_searches Int64,
    calls_count Int64,
    cost_usd Nullable(Decimal(18, 10)),
    cost_input_uncached_usd Nullable(Decimal(18, 10)),
    cost_cache_read_usd Nullable(Decimal(18, 10)),
    cost_cache_write_5m_usd Nullable(Decimal(18, 10)),
    cost_cache_write_1h_usd Nullable(Decimal(18, 10)),
    cost_output_visible_usd Nullable(Decimal(18, 10)),
    cost_output_reasoning_usd Nullable(Decimal(18, 10)),
    cost_requests_usd Nullable(Decimal(18, 10)),
    cost_basis LowCardinality(String),
    price_source LowCardinality(String),
    price_version LowCardinality(String),
    reported_cost_usd Nullable(Decimal(18, 10)),
    task String,
    conversation String,
    turn Int64,
    agent String,
    project String,
    branch String,
    team LowCardinality(String),
    app LowCardinality(String),
    user_name String,
    key_name String,
    tags String,
    place LowCardinality(String),
    kept_segments Nullable(Int64),
    break_cause LowCardinality(String),
    version UInt128
) ENGINE = ReplacingMergeTree(version) ORDER BY entry_id;

CREATE TABLE segments_log (
    entry_id String,
    revision Int64,
    position Int64,
    offset_tokens Int64,
    kind LowCardinality(String),
    tool LowCardinality(String),
    tokens Int64,
    digest String,
    detail String,
    is_error Bool,
    basis LowCardinality(String)
) ENGINE = ReplacingMergeTree ORDER BY (entry_id, revision, position);

CREATE TABLE outcomes_log (
    outcome_id String,
    revision Int64,
    task String,
    name LowCardinality(String),
    value Float64,
    happened_at DateTime64(6, 'UTC'),
    source LowCardinality(String)
) ENGINE = ReplacingMergeTree(revision) ORDER BY outcome_id;

CREATE VIEW entries AS SELECT * EXCEPT (version) FROM entries_log FINAL;

CREATE VIEW segments AS
SELECT segments_log.* EXCEPT (revision) FROM segments_log FINAL
WHERE (entry_id, revision) IN (SELECT entry_id, revision FROM entries_log FINAL);

CREATE VIEW outcomes AS SELECT * FROM outcomes_log FINAL;

CREATE FUNCTION local_time AS (moment, zone) -> toTimeZone(moment, zone);

CREATE FUNCTION tag_value AS (tags, tag) -> JSONExtractString(tags, tag);

CREATE FUNCTION seconds_between AS (earlier, later) -> dateDiff('microsecond', earlier, later) / 1000000.0;
