-- One row a window of some seconds in which servers were watched. `gpus` and `servers` are JSON lists of names.
CREATE TABLE energy_log (
    window_id String,
    revision Int64,
    started DateTime64(6, 'UTC'),
    seconds Float64,
    gpus LowCardinality(String),
    servers LowCardinality(String),
    provider LowCardinality(String),
    joules Float64,
    counted Bool,
    generated_tokens Float64,
    prompt_tokens Float64,
    cached_tokens Nullable(Float64),
    steps Nullable(Float64),
    running_seconds Float64,
    busy_seconds Float64
) ENGINE = ReplacingMergeTree(revision) ORDER BY window_id;

CREATE VIEW energy_windows AS SELECT * FROM energy_log FINAL;
