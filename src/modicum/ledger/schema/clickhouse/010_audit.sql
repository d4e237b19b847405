-- One row a decision about the gateway: a key issued or revoked. `details` is a JSON object.
CREATE TABLE audit_log (
    event_id String,
    happened_at DateTime64(6, 'UTC'),
    by_name String,
    kind LowCardinality(String),
    what LowCardinality(String),
    subject String,
    team LowCardinality(String),
    app LowCardinality(String),
    user_name String,
    key_name String,
    details String
) ENGINE = ReplacingMergeTree ORDER BY event_id;

CREATE VIEW audit_events AS SELECT * FROM audit_log FINAL;
