-- Entries in order of time, with what questions add up: the other table is in order of entries, so that each question would
-- read all of it. `is_moved`: the entry has another day now (its record of this version stands there).
CREATE TABLE entries_by_time_log ENGINE = ReplacingMergeTree(version) ORDER BY (toDate(started), entry_id) AS
SELECT
    entry_id, revision, source, provider, model, started, first_token, finished, status, usage_basis, output_basis,
    cost_basis, tier, region, price_source, requests, caveats, calls_count, task, project, branch, agent, team, app,
    user_name, key_name, tags, place, output_tokens_estimated, effective_tokens, uncached_tokens, cache_read_tokens,
    cache_write_tokens, completion_tokens, cost_usd, input_uncached, cache_read, cache_write_5m, cache_write_1h,
    output_visible, output_reasoning, input_audio, input_image, input_video, cache_read_audio, cache_read_image,
    cache_write_30m, cache_write_12h, output_audio, output_image, output_video, cost_input_uncached_usd,
    cost_cache_read_usd, cost_cache_write_5m_usd, cost_cache_write_1h_usd, cost_output_visible_usd,
    cost_output_reasoning_usd, cost_input_audio_usd, cost_input_image_usd, cost_input_video_usd,
    cost_cache_read_audio_usd, cost_cache_read_image_usd, cost_cache_write_30m_usd, cost_cache_write_12h_usd,
    cost_output_audio_usd, cost_output_image_usd, cost_output_video_usd, cost_requests_usd, version,
    false AS is_moved
FROM entries_log
LIMIT 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS entries_to_time TO entries_by_time_log AS
SELECT
    entry_id, revision, source, provider, model, started, first_token, finished, status, usage_basis, output_basis,
    cost_basis, tier, region, price_source, requests, caveats, calls_count, task, project, branch, agent, team, app,
    user_name, key_name, tags, place, output_tokens_estimated, effective_tokens, uncached_tokens, cache_read_tokens,
    cache_write_tokens, completion_tokens, cost_usd, input_uncached, cache_read, cache_write_5m, cache_write_1h,
    output_visible, output_reasoning, input_audio, input_image, input_video, cache_read_audio, cache_read_image,
    cache_write_30m, cache_write_12h, output_audio, output_image, output_video, cost_input_uncached_usd,
    cost_cache_read_usd, cost_cache_write_5m_usd, cost_cache_write_1h_usd, cost_output_visible_usd,
    cost_output_reasoning_usd, cost_input_audio_usd, cost_input_image_usd, cost_input_video_usd,
    cost_cache_read_audio_usd, cost_cache_read_image_usd, cost_cache_write_30m_usd, cost_cache_write_12h_usd,
    cost_output_audio_usd, cost_output_image_usd, cost_output_video_usd, cost_requests_usd, version,
    false AS is_moved
FROM entries_log;

-- Again after a migration that was broken off: the same record replaces itself.
INSERT INTO entries_by_time_log
SELECT
    entry_id, revision, source, provider, model, started, first_token, finished, status, usage_basis, output_basis,
    cost_basis, tier, region, price_source, requests, caveats, calls_count, task, project, branch, agent, team, app,
    user_name, key_name, tags, place, output_tokens_estimated, effective_tokens, uncached_tokens, cache_read_tokens,
    cache_write_tokens, completion_tokens, cost_usd, input_uncached, cache_read, cache_write_5m, cache_write_1h,
    output_visible, output_reasoning, input_audio, input_image, input_video, cache_read_audio, cache_read_image,
    cache_write_30m, cache_write_12h, output_audio, output_image, output_video, cost_input_uncached_usd,
    cost_cache_read_usd, cost_cache_write_5m_usd, cost_cache_write_1h_usd, cost_output_visible_usd,
    cost_output_reasoning_usd, cost_input_audio_usd, cost_input_image_usd, cost_input_video_usd,
    cost_cache_read_audio_usd, cost_cache_read_image_usd, cost_cache_write_30m_usd, cost_cache_write_12h_usd,
    cost_output_audio_usd, cost_output_image_usd, cost_output_video_usd, cost_requests_usd, version,
    false AS is_moved
FROM entries_log FINAL;

CREATE VIEW entries_by_time AS SELECT * EXCEPT (version, is_moved) FROM entries_by_time_log FINAL WHERE NOT is_moved;

-- Entries summed by day of a zone, a row for all entries of a day that have their names and bases in common. `started` is
-- where the day begins, `first_started` the first entry's. Of a day, the rows that were summed last stand.
CREATE TABLE rollups_log (
    zone LowCardinality(String),
    started DateTime64(6, 'UTC'),
    source LowCardinality(String),
    provider LowCardinality(String),
    shown_provider LowCardinality(String),
    model LowCardinality(String),
    project String,
    branch String,
    agent String,
    team LowCardinality(String),
    app LowCardinality(String),
    user_name String,
    key_name String,
    tier LowCardinality(String),
    region LowCardinality(String),
    status LowCardinality(String),
    place LowCardinality(String),
    usage_basis LowCardinality(String),
    output_basis LowCardinality(String),
    cost_basis LowCardinality(String),
    price_source LowCardinality(String),
    requests String,
    caveats String,
    first_started DateTime64(6, 'UTC'),
    calls Int64,
    calls_unpriced Int64,
    calls_unweighted Int64,
    calls_in_progress_rows Int64,
    input_uncached Int64,
    cache_read Int64,
    cache_write_5m Int64,
    cache_write_1h Int64,
    output_visible Int64,
    output_reasoning Int64,
    input_audio Int64,
    input_image Int64,
    input_video Int64,
    cache_read_audio Int64,
    cache_read_image Int64,
    cache_write_30m Int64,
    cache_write_12h Int64,
    output_audio Int64,
    output_image Int64,
    output_video Int64,
    prompt_tokens Int64,
    cache_read_tokens Int64,
    completion_tokens Int64,
    output_tokens_estimated Nullable(Int64),
    calls_with_first_token Int64,
    timed_output_tokens Int64,
    effective_tokens Nullable(Float64),
    cost_estimated_output_usd Nullable(Float64),
    first_token_seconds Nullable(Float64),
    output_seconds Nullable(Float64),
    cost_usd Nullable(Decimal(38, 10)),
    cost_input_uncached_usd Nullable(Decimal(38, 10)),
    cost_cache_read_usd Nullable(Decimal(38, 10)),
    cost_cache_write_5m_usd Nullable(Decimal(38, 10)),
    cost_cache_write_1h_usd Nullable(Decimal(38, 10)),
    cost_output_visible_usd Nullable(Decimal(38, 10)),
    cost_output_reasoning_usd Nullable(Decimal(38, 10)),
    cost_input_audio_usd Nullable(Decimal(38, 10)),
    cost_input_image_usd Nullable(Decimal(38, 10)),
    cost_input_video_usd Nullable(Decimal(38, 10)),
    cost_cache_read_audio_usd Nullable(Decimal(38, 10)),
    cost_cache_read_image_usd Nullable(Decimal(38, 10)),
    cost_cache_write_30m_usd Nullable(Decimal(38, 10)),
    cost_cache_write_12h_usd Nullable(Decimal(38, 10)),
    cost_output_audio_usd Nullable(Decimal(38, 10)),
    cost_output_image_usd Nullable(Decimal(38, 10)),
    cost_output_video_usd Nullable(Decimal(38, 10)),
    cost_requests_usd Nullable(Decimal(38, 10)),
    summed_at DateTime64(6, 'UTC')
) ENGINE = MergeTree ORDER BY (zone, started);

CREATE TABLE summed_days_log (
    zone LowCardinality(String),
    started DateTime64(6, 'UTC'),
    summed_at DateTime64(6, 'UTC')
) ENGINE = ReplacingMergeTree(summed_at) ORDER BY (zone, started);

CREATE VIEW rollups AS
SELECT * EXCEPT (summed_at) FROM rollups_log
WHERE (zone, started, summed_at) IN (SELECT zone, started, summed_at FROM summed_days_log FINAL);

-- Quarters of an hour (their number since 1970) in which an entry joined, grew or left, and when the last one did; and
-- when they were summed. By the clock of the server: many programs write here.
CREATE TABLE touched_slots_log (slot Int64, touched_at DateTime64(6, 'UTC'))
ENGINE = ReplacingMergeTree(touched_at) ORDER BY slot;

CREATE TABLE summed_slots_log (zone LowCardinality(String), slot Int64, summed_at DateTime64(6, 'UTC'))
ENGINE = ReplacingMergeTree(summed_at) ORDER BY (zone, slot);

INSERT INTO touched_slots_log
SELECT DISTINCT toInt64(floor(toUnixTimestamp64Micro(started) / 900000000)) AS slot, now64(6) AS touched_at FROM entries_log;

-- In which zone days are summed: the last row stands.
CREATE TABLE rollup_zone_log (zone LowCardinality(String), set_at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY set_at;
