-- One row a window of some seconds in which servers were watched. `gpus` and `servers` are JSON lists of names.
CREATE TABLE energy_windows (
    window_id VARCHAR NOT NULL,
    revision BIGINT NOT NULL,
    started TIMESTAMP NOT NULL,
    seconds DOUBLE NOT NULL,
    gpus VARCHAR NOT NULL,
    servers VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    joules DOUBLE NOT NULL,
    counted BOOLEAN NOT NULL,
    generated_tokens DOUBLE NOT NULL,
    prompt_tokens DOUBLE NOT NULL,
    cached_tokens DOUBLE,
    steps DOUBLE,
    running_seconds DOUBLE NOT NULL,
    busy_seconds DOUBLE NOT NULL
);
