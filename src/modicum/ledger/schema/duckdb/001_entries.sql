-- One row a call. Money has ten places: a tenth of a nano-dollar, below any unit price.
CREATE TABLE entries (
    entry_id VARCHAR NOT NULL,
    revision BIGINT NOT NULL,
    booked_at TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    started TIMESTAMP NOT NULL,
    first_token TIMESTAMP,
    finished TIMESTAMP,
    status VARCHAR NOT NULL,
    finish_reason VARCHAR NOT NULL,
    input_uncached BIGINT NOT NULL,
    cache_read BIGINT NOT NULL,
    cache_write_5m BIGINT NOT NULL,
    cache_write_1h BIGINT NOT NULL,
    output_visible BIGINT NOT NULL,
    output_reasoning BIGINT NOT NULL,
    usage_basis VARCHAR NOT NULL,
    output_basis VARCHAR NOT NULL,
    output_tokens_estimated BIGINT,
    tier VARCHAR NOT NULL,
    web_searches BIGINT NOT NULL,
    calls_count BIGINT NOT NULL,
    cost_usd DECIMAL(18, 10),
    cost_input_uncached_usd DECIMAL(18, 10),
    cost_cache_read_usd DECIMAL(18, 10),
    cost_cache_write_5m_usd DECIMAL(18, 10),
    cost_cache_write_1h_usd DECIMAL(18, 10),
    cost_output_visible_usd DECIMAL(18, 10),
    cost_output_reasoning_usd DECIMAL(18, 10),
    cost_requests_usd DECIMAL(18, 10),
    cost_basis VARCHAR NOT NULL,
    price_source VARCHAR NOT NULL,
    price_version VARCHAR NOT NULL,
    reported_cost_usd DECIMAL(18, 10),
    task VARCHAR NOT NULL,
    conversation VARCHAR NOT NULL,
    turn BIGINT NOT NULL,
    agent VARCHAR NOT NULL,
    project VARCHAR NOT NULL,
    branch VARCHAR NOT NULL,
    team VARCHAR NOT NULL,
    app VARCHAR NOT NULL,
    user_name VARCHAR NOT NULL,
    key_name VARCHAR NOT NULL,
    tags VARCHAR NOT NULL,
    place VARCHAR NOT NULL,
    kept_segments BIGINT,
    break_cause VARCHAR NOT NULL
);

-- One row a segment, where it first appears. `position` counts from 0 within the context; `offset_tokens` are the
-- tokens before it.
CREATE TABLE segments (
    entry_id VARCHAR NOT NULL,
    position BIGINT NOT NULL,
    offset_tokens BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    tool VARCHAR NOT NULL,
    tokens BIGINT NOT NULL,
    digest VARCHAR NOT NULL,
    detail VARCHAR NOT NULL,
    is_error BOOLEAN NOT NULL,
    basis VARCHAR NOT NULL
);

-- One row an outcome; a later record of the same outcome replaces it.
CREATE TABLE outcomes (
    outcome_id VARCHAR NOT NULL,
    revision BIGINT NOT NULL,
    task VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    value DOUBLE NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL
);

-- The functions that differ between the engines, under the same names on both.
CREATE MACRO local_time(moment, zone) AS timezone(zone, timezone('UTC', moment));
CREATE MACRO tag_value(tags, tag) AS
    coalesce(json_extract_string(tags, '/' || replace(replace(tag, '~', '~0'), '/', '~1')), '');
CREATE MACRO seconds_between(earlier, later) AS date_diff('microsecond', earlier, later) / 1000000.0;
