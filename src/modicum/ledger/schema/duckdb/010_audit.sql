-- One row a decision about the gateway: a key issued or revoked. `details` is a JSON object.
CREATE TABLE audit_events (
    event_id VARCHAR NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    by_name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    team VARCHAR NOT NULL,
    app VARCHAR NOT NULL,
    user_name VARCHAR NOT NULL,
    key_name VARCHAR NOT NULL,
    details VARCHAR NOT NULL
);
